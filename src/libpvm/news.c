/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finding what peers published, feeding it to the client layer, and giving memory back. The way of
 * one small message that is already there: no call of the system, no allocation.
 */
#include "libpvm/lock.h"
#include "libpvm/pairs_state.h"
#include "libpvm/wait.h"

#include "pvm3.h"

enum {
    QUIET_FEW = 4096, /* looks in vain after which a pair is left alone, while there are few */
    QUIET_MANY = 64,
    FEW = 8
};

/* ---- one pair ---- */

static int feed(struct pair *pair)
{
    const int source = pair == pairs.daemon ? (int)pair->parcel.party : pair->tid;
    const int status = client_feed_parcel(pairs.client, source, &pair->parcel);
    if (status < 0)
        return status;
    pair->owes |= !pair->parcel.bytes;
    pair->has_parcel = false;
    shm_pair_taken(pair->shm);
    return 0;
}

int pair_take(struct pair *pair, int most)
{
    int taken = 0;
    while (taken < most && !pair->is_bad) {
        if (!pair->has_parcel) {
            const enum shm_result result = shm_pair_receive(pair->shm, &pair->parcel);
            if (result == SHM_NONE)
                break;
            if (result == SHM_NO_MEMORY)
                return taken ? taken : PvmNoMem;
            if (result == SHM_BAD) {
                pair_spoil(pair);
                break;
            }
            pair->has_parcel = true;
        }
        const int status = feed(pair);
        if (status < 0)
            return taken ? taken : status;
        taken++;
    }
    return taken;
}

static inline bool has_news(const struct pair *pair)
{
    return shm_pair_has_news(pair->shm) || pair->has_parcel;
}

/* ---- all of them ---- */

/* A bit that is not of a peer, or not yet: while an answer of the daemon is due it may become
 * one. */
static void stranger(int index)
{
    if (!pairs.asked)
        shm_ears_cool(&pairs.ears, (uint32_t)index);
}

/* It had nothing. Left alone for good it is not: whoever publishes next sets its bit again. */
static void quiet(struct pair *pair)
{
    if (++pair->quiet < (pairs.joined > FEW ? QUIET_MANY : QUIET_FEW) || !pair->has_route)
        return;
    pair->quiet = 0;
    shm_ears_cool(&pairs.ears, pair->index);
    if (has_news(pair))
        shm_ears_warm(&pairs.ears, pair->index);
}

int news_look(int most)
{
    int taken = 0;
    if (!shm_ears_listen(&pairs.ears))
        return 0;
    for (int i = shm_ears_next(&pairs.ears, 0); i >= 0; i = shm_ears_next(&pairs.ears, i + 1)) {
        struct pair *pair = pair_of_index(i);
        if (!pair) {
            stranger(i);
            continue;
        }
        if (!pair->has_route && !pair->is_bad)
            pair_use(pair);
        if (!has_news(pair)) {
            quiet(pair);
            continue;
        }
        pair->quiet = 0;
        const int got = pair_take(pair, most);
        if (got < 0)
            return taken ? taken : got;
        taken += got;
    }
    return taken;
}

int news_look_at(int tid, int most)
{
    struct pair *pair = pair_of_tid(tid);
    if (!pair || !pair->has_route || pair->is_bad)
        return -1;
    return has_news(pair) ? pair_take(pair, most) : 0;
}

static bool exists_anywhere(void)
{
    if (!shm_ears_listen(&pairs.ears))
        return false;
    for (int i = shm_ears_next(&pairs.ears, 0); i >= 0; i = shm_ears_next(&pairs.ears, i + 1)) {
        const struct pair *pair = pair_of_index(i);
        if (pair && !pair->is_bad && (has_news(pair) || !pair->has_route))
            return true;
    }
    return false;
}

bool news_exist(int tid)
{
    if (atomic_load_explicit(&pairs.own.inbox->socket, memory_order_relaxed) != 0)
        return true;
    const struct pair *pair = tid > 0 ? pair_of_tid(tid) : NULL;
    if (!pair || !pair->has_route || pair->is_bad)
        return exists_anywhere();
    /* Others may say something too, but the one that is waited for answers soonest. */
    return has_news(pair);
}

bool news_of_socket(void)
{
    return shm_ears_socket(&pairs.ears);
}

int news_drain_daemon(void)
{
    struct pair *pair = pairs.daemon;
    int taken = pair && !pair->is_bad ? 1 : 0;
    while (taken > 0 && !pair->is_bad)
        taken = pair_take(pair, INT32_MAX);
    return MIN_OF(taken, 0);
}

/* ---- sleeping ---- */

/* The peer need not wake for it: it looks when it next has a reason. */
static void release(struct pair *pair)
{
    if (pair->is_joined && !pair->is_bad && shm_pair_release(pair->shm) == SHM_OK)
        shm_bell_ring(pair->peer.inbox, pair->peer.header, pairs.index);
}

void news_sleep(void)
{
    for (size_t i = 0; i < pairs.by_tid.count; i++)
        release(pairs.by_tid.entries[i].value);
    shm_ears_sleep(&pairs.ears);
}

void news_awake(void)
{
    if (!wait_is_shown())
        shm_ears_awake(&pairs.ears);
}

/* Free blocks beyond what is kept, that were not yet found to be all that trimming leaves. */
static bool has_trimmable(void)
{
    const struct shm_heap_stats stats = shm_heap_stats(pairs.own.heap);
    return stats.populated_bytes - stats.used_bytes > SHM_TRIM_KEEP_BYTES &&
           stats.populated_bytes != pairs.trimmed_at;
}

bool news_has_idle_work(void)
{
    if (has_trimmable())
        return true;
    for (size_t i = 0; i < pairs.by_tid.count; i++)
        if (((const struct pair *)pairs.by_tid.entries[i].value)->owes)
            return true;
    return false;
}

bool news_idle(void)
{
    for (size_t i = 0; i < pairs.by_tid.count; i++) {
        struct pair *pair = pairs.by_tid.entries[i].value;
        if (!pair->owes)
            continue;
        /* A peer that sleeps on gigabytes wakes once, to find that it may let them go. */
        pair->owes = false;
        shm_pair_release(pair->shm);
        if (shm_bell_ring(pair->peer.inbox, pair->peer.header, pairs.index) && pair->peer.bell >= 0)
            share_bell(pair->peer.bell);
    }
    if (!has_trimmable())
        return false;
    if (shm_heap_trim(pairs.own.heap))
        return true;
    pairs.trimmed_at = shm_heap_stats(pairs.own.heap).populated_bytes;
    return false;
}
