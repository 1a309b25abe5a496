/* SPDX-License-Identifier: BSD-3-Clause */
/* The books of pairs and the client layer's routes: see the header. */
#include "libpvm/pairs.h"

#include "base/mem.h"
#include "libpvm/error.h"
#include "libpvm/pairs_state.h"
#include "libpvm/wait.h"

#include "pvm3.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    PACE_SLOTS = SHM_RING_SLOTS_MAX * 3 / 4, /* waiting; as many bytes lent: the peer is behind */
    PACE_BYTES = 8 * 1024 * 1024,
    PACE_EVERY_MIN = 128, /* sends between two looks */
    PACE_EVERY_MAX = 65536
};

struct pairs pairs = {.own = {.fds = {-1, -1, -1}}};
struct pairs_glance pairs_glance = {.bell = -1};

/* ---- books ---- */

struct pair *pair_find(int tid)
{
    struct pair *pair = map_get(&pairs.by_tid, (uint32_t)tid);
    if (pair)
        pairs.recent = pair;
    return pair;
}

int own_open(void)
{
    if (pairs.own.heap)
        return 0;
    const uint64_t limit_bytes = pairs.is_refused || !pairs.index ? 0 : share_limit_bytes();
    const char *step;
    if (limit_bytes == 0) {
        pairs.is_refused = true;
        return -1;
    }
    if (share_own_create(&pairs.own, limit_bytes, &step) < 0) {
        note("no memory can be shared here (%s: %s): messages take the long way", step,
             strerror(errno));
        pairs.is_refused = true;
        return -1;
    }
    shm_ears_init(&pairs.ears, pairs.own.inbox, pairs.own.header);
    pairs_glance.bell = pairs.own.fds[2];
    pairs_glance.is_open = true;
    wait_changed();
    if (wait_is_shown())
        shm_ears_sleep(&pairs.ears);
    return 0;
}

struct pair *pair_create(int tid)
{
    struct pair *pair = mem_calloc(1, sizeof(*pair));
    if (!pair)
        return NULL;
    pair->tid = tid;
    pair->peer.bell = -1;
    pair->pace_every = PACE_EVERY_MIN;
    pair->shm = shm_pair_create(pairs.own.heap, pair);
    if (pair->shm && map_put(&pairs.by_tid, (uint32_t)tid, pair) == 0) {
        pairs.asked++;
        return pair;
    }
    if (pair->shm)
        shm_pair_close(pair->shm);
    mem_free(pair);
    return NULL;
}

int pair_enter(struct pair *pair, uint32_t index)
{
    if (index >= pairs.index_capacity) {
        const size_t before = pairs.index_capacity;
        if (mem_grow((void **)&pairs.by_index, &pairs.index_capacity, index + 1,
                     sizeof(struct pair *)) < 0)
            return -1;
        memset(pairs.by_index + before, 0,
               (pairs.index_capacity - before) * sizeof(struct pair *));
    }
    pairs.by_index[index] = pair;
    pair->index = index;
    pair->is_joined = true;
    pairs.asked--;
    pairs.joined++;
    pairs.bells += pair->peer.bell >= 0;
    if (index == SHM_INDEX_DAEMON)
        pairs.daemon = pair;
    return 0;
}

/* Nobody looks at it any more. */
static void pair_free(struct pair *pair)
{
    shm_pair_close(pair->shm);
    share_peer_close(&pair->peer, false);
    mem_free(pair);
}

void pair_close(struct pair *pair)
{
    if (pair->has_route && pairs.index)
        client_set_route(pairs.client, pair->tid, NULL); /* to forget needs no memory */
    pairs.routed -= pair->has_route;
    map_remove(&pairs.by_tid, (uint32_t)pair->tid);
    if (pairs.recent == pair)
        pairs.recent = NULL;
    if (pair->is_joined) {
        shm_ears_cool(&pairs.ears, pair->index);
        pairs.by_index[pair->index] = NULL;
        pairs.joined--;
        pairs.bells -= pair->peer.bell >= 0;
        if (pairs.daemon == pair)
            pairs.daemon = NULL;
    } else {
        pairs.asked--;
    }
    if (!pairs.watchers) {
        pair_free(pair);
        return;
    }
    pair->retired = pairs.retired;
    pairs.retired = pair;
}

int pair_use(struct pair *pair)
{
    if (client_set_route(pairs.client, pair->tid, pair) < 0)
        return -1;
    pair->has_route = true;
    pairs.routed++;
    return 0;
}

void pair_spoil(struct pair *pair)
{
    pair->is_bad = true;
    pairs_glance.has_work = true;
}

/* ---- life ---- */

void pairs_enrolled(struct client *client, uint32_t index)
{
    pairs.client = client;
    /* Enrolled anew by a signal handler, below a wait of the life before: does without. */
    pairs.index = index < SHM_INDEX_MAX && !pairs.must_leave ? index : 0;
}

void pairs_leave(void)
{
    pairs_glance = (struct pairs_glance){.bell = -1};
    pairs.index = 0;
    pairs.must_leave = pairs.watchers > 0;
    if (pairs.must_leave)
        return;
    while (pairs.by_tid.count)
        pair_close(pairs.by_tid.entries[pairs.by_tid.count - 1].value);
    if (pairs.own.heap)
        share_own_close(&pairs.own);
    map_fini(&pairs.by_tid);
    mem_free(pairs.by_index);
    mem_free(pairs.wants);
    pairs = (struct pairs){.own = {.fds = {-1, -1, -1}}};
}

void pairs_forked(void)
{
    for (size_t i = 0; i < pairs.by_tid.count; i++) {
        const struct pair *pair = pairs.by_tid.entries[i].value;
        if (pair->peer.bell >= 0)
            close(pair->peer.bell);
    }
    if (pairs.own.heap)
        share_own_forget(&pairs.own);
    pairs = (struct pairs){.own = {.fds = {-1, -1, -1}}};
    pairs_glance = (struct pairs_glance){.bell = -1};
}

void pairs_watch_begin(void)
{
    pairs.watchers++;
}

void pairs_watch_end(void)
{
    if (--pairs.watchers > 0)
        return;
    while (pairs.retired) {
        struct pair *pair = pairs.retired;
        pairs.retired = pair->retired;
        pair_free(pair);
    }
    if (pairs.must_leave)
        pairs_leave();
}

/* ---- routes ---- */

static void collect_all(void)
{
    for (size_t i = 0; i < pairs.by_tid.count; i++) {
        struct pair *pair = pairs.by_tid.entries[i].value;
        if (pair->is_joined && !pair->is_bad)
            shm_pair_collect(pair->shm);
    }
}

static struct buf *route_room(void *context, size_t wanted)
{
    (void)context;
    if (!pairs.own.heap)
        return NULL;
    struct buf *buf = shm_heap_get(pairs.own.heap, wanted);
    if (buf)
        return buf;
    collect_all();
    return shm_heap_get(pairs.own.heap, wanted);
}

static void route_wanted(void *context, int tid)
{
    (void)context;
    if (!pairs.index || pairs.is_refused)
        return;
    if (mem_grow((void **)&pairs.wants, &pairs.want_capacity, pairs.want_count + 1,
                 sizeof(int)) < 0)
        return;
    pairs.wants[pairs.want_count++] = tid;
    pairs_glance.has_work = true;
}

static void wake(struct pair *pair)
{
    if (!shm_bell_must_signal(pair->peer.header, &pair->signalled))
        return;
    if (pair->peer.bell >= 0) {
        share_bell(pair->peer.bell);
        return;
    }
    pair->must_wake = true;
    pairs_glance.has_work = true;
}

static bool is_behind(const struct pair *pair)
{
    return shm_pair_waiting_slots(pair->shm) > PACE_SLOTS ||
           shm_pair_lent_bytes(pair->shm) > PACE_BYTES;
}

/* A peer that takes messages slower than they come makes this task's working set grow out of its
 * cache: where both have a core the peer is given a moment. It is no promise that it uses it. */
static void pace(struct pair *pair)
{
    pair->unpaced = 0;
    if (shm_pair_lent_bytes(pair->shm) > 0)
        shm_pair_collect(pair->shm);
    const uint64_t ticks = wait_spin_ticks();
    if (ticks == 0 || !is_behind(pair))
        return;
    const uint64_t begin = share_ticks();
    while (is_behind(pair)) {
        if (atomic_load_explicit(&pair->peer.header->sleeping, memory_order_relaxed) != 0)
            return;
        if (share_ticks() - begin > ticks) {
            pair->pace_every = MIN_OF(pair->pace_every * 2, (unsigned)PACE_EVERY_MAX);
            return;
        }
        wait_pause();
        shm_pair_collect(pair->shm);
    }
    pair->pace_every = PACE_EVERY_MIN;
}

/* The limit: what the peers are done with comes back first. */
static int send_short_of_memory(struct pair *pair, const struct parcel *parcel)
{
    collect_all();
    const enum shm_result result = shm_pair_send(pair->shm, parcel);
    return result == SHM_OK ? 1 : result == SHM_NO_MEMORY ? PvmNoMem : 0;
}

static int route_send(void *context, void *route, const struct parcel *parcel)
{
    (void)context;
    struct pair *pair = route;
    struct parcel stamped = *parcel;
    stamped.time = share_ticks();
    int status = 1;
    const enum shm_result result = shm_pair_send(pair->shm, &stamped);
    if (result != SHM_OK) {
        status = result == SHM_NO_MEMORY ? send_short_of_memory(pair, &stamped) : 0;
        if (status == 0)
            pair_spoil(pair);
        if (status <= 0)
            return status;
    }
    if (shm_bell_ring(pair->peer.inbox, pair->peer.header, pairs.index))
        wake(pair);
    if (++pair->unpaced >= pair->pace_every || parcel->length > SHM_INLINE_BYTES_MAX)
        pace(pair);
    /* By the daemon, while a shorter way is being made: task_flush() is to look whether it is. */
    if (pair == pairs.daemon && pairs.routed < pairs.by_tid.count)
        pairs_glance.has_work = true;
    return status;
}

struct client_routes pairs_routes(void)
{
    return (struct client_routes){.room = route_room, .send = route_send, .wanted = route_wanted};
}
