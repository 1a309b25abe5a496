/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two threads on the two sides of a pair, as two processes would be: everything in both directions
 * at once, and the handshake of bells and sleeping, in which no message may be missed. Meant for
 * the thread sanitizer too.
 */
#include "base/rng.h"
#include "bodies.h"
#include "tap.h"

#include <pthread.h>
#include <sched.h>

enum { MESSAGES = 20000, HELD = 32, NAPS = 3000 };

static struct pair_pair both;

struct player {
    struct pair_side *side;
    uint64_t seed; /* of what it sends */
    uint64_t other_seed;
    int failed;
    struct slice held[HELD];
};

static size_t length_of(uint64_t seed, uint64_t i)
{
    const uint64_t key = (seed + i) * UINT64_C(0x9e3779b97f4a7c15) >> 40;
    return key % 50 == 0 ? key % 40000 : key % 5 == 0 ? key % 1200 : key % 80;
}

static void *bytes_of(struct player *player, uint64_t i, size_t length)
{
    static _Thread_local uint8_t bytes[65536];
    body_write(bytes, length, player->seed + i, 0);
    return bytes;
}

static bool send_one(struct player *player, uint64_t i)
{
    const size_t length = length_of(player->seed, i);
    const struct parcel out = {
        .sequence = i, .bytes = bytes_of(player, i, length), .length = length};
    const enum shm_result result = shm_pair_send(player->side->pair, &out);
    player->failed += result != SHM_OK && result != SHM_NO_MEMORY;
    return result == SHM_OK;
}

/* Keeps a piece of some messages for a while. */
static void take_one(struct player *player, const struct parcel *got, uint64_t i)
{
    struct slice *slot = &player->held[i % HELD];
    if (got->sequence != i ||
        !parcel_is(got, player->other_seed + i, length_of(player->other_seed, i)))
        player->failed++;
    slice_drop(slot);
    if (got->piece_count > 0 && i % 3 == 0)
        *slot = slice_hold(got->pieces[got->piece_count - 1]);
    shm_pair_taken(player->side->pair);
}

static void *play(void *context)
{
    struct player *player = context;
    struct shm_pair *pair = player->side->pair;
    uint64_t sent = 0, received = 0;
    struct rng rng;
    rng_seed(&rng, player->seed);
    while ((sent < MESSAGES || received < MESSAGES) && player->failed == 0) {
        struct parcel got;
        const uint64_t burst = rng_below(&rng, rng_below(&rng, 10) ? 20 : 1500);
        for (uint64_t i = 0; i < burst && sent < MESSAGES && send_one(player, sent); i++)
            sent++;
        for (uint64_t i = rng_below(&rng, 600); i > 0 && received < MESSAGES; i--) {
            const enum shm_result result = shm_pair_receive(pair, &got);
            player->failed += result == SHM_BAD;
            if (result != SHM_OK)
                break;
            take_one(player, &got, received++);
        }
        if (rng_below(&rng, 4) == 0)
            shm_pair_release(pair);
        if (rng_below(&rng, 50) == 0)
            shm_heap_trim(player->side->ground.heap);
        sched_yield();
    }
    for (size_t i = 0; i < HELD; i++)
        slice_drop(&player->held[i]);
    shm_pair_release(pair);
    return NULL;
}

static void test_both_ways(void)
{
    static struct player players[2];
    pthread_t threads[2];
    pair_pair_open_limited(&both, 40, 32 * SHM_AREA_BYTES);
    players[0] = (struct player){.side = &both.a, .seed = 1, .other_seed = 1000000};
    players[1] = (struct player){.side = &both.b, .seed = 1000000, .other_seed = 1};
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, play, &players[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    EQUAL(players[0].failed, 0, "one side saw everything, whole and in order");
    EQUAL(players[1].failed, 0, "and so did the other");
    shm_pair_collect(both.a.pair);
    shm_pair_collect(both.b.pair);
    EQUAL(shm_pair_lent_bytes(both.a.pair) + shm_pair_lent_bytes(both.b.pair), 0,
          "all that was lent came back");
    pair_pair_close(&both);
    OK(both.a.ground.is_gone && both.b.ground.is_gone, "every block too");
}

/* ---- sleeping ---- */

static _Atomic uint32_t doorbell; /* stands for the eventfd */

static void *ring_sometimes(void *context)
{
    struct rng rng;
    rng_seed(&rng, 3);
    for (uint64_t i = 0; i < NAPS; i++) {
        const struct parcel out = {.sequence = i, .bytes = (const uint8_t *)"x", .length = 1};
        while (shm_pair_send(both.a.pair, &out) != SHM_OK)
            sched_yield();
        if (shm_bell_ring(both.b.inbox, both.b.ground.header, 70))
            atomic_store(&doorbell, 1);
        for (uint64_t wait = rng_below(&rng, 30); wait > 0; wait--)
            atomic_signal_fence(memory_order_seq_cst);
        if (rng_below(&rng, 3) == 0)
            sched_yield();
    }
    return context;
}

static uint64_t drain(uint64_t seen, int *failed)
{
    struct parcel got;
    while (shm_pair_receive(both.b.pair, &got) == SHM_OK) {
        *failed += got.sequence != seen++;
        shm_pair_taken(both.b.pair);
    }
    return seen;
}

/* One round of a receiver that sleeps as soon as nothing is there. */
static uint64_t nap(uint64_t seen, int *failed)
{
    struct shm_ears *ears = &both.b.ears;
    atomic_store(&doorbell, 0);
    shm_ears_sleep(ears);
    const bool is_heard = shm_ears_listen(ears) && shm_ears_next(ears, 0) == 70;
    const uint64_t now = is_heard ? drain(seen, failed) : seen;
    if (now == seen && seen < NAPS)
        while (!atomic_load(&doorbell))
            sched_yield(); /* for ever, if the bell was missed */
    shm_ears_awake(ears);
    return now;
}

static void test_sleeping(void)
{
    pthread_t thread;
    int failed = 0;
    uint64_t seen = 0;
    struct shm_ears *ears = &both.b.ears;
    pair_pair_open(&both, 8);
    pthread_create(&thread, NULL, ring_sometimes, NULL);
    while (seen < NAPS) {
        if (shm_ears_listen(ears)) {
            seen = drain(seen, &failed);
            shm_ears_cool(ears, 70);
            if (shm_pair_has_news(both.b.pair))
                shm_ears_warm(ears, 70);
        }
        seen = nap(seen, &failed);
    }
    pthread_join(thread, NULL);
    EQUAL(failed, 0, "no message is missed by one who sleeps");
    EQUAL(seen, NAPS, "all came");
    pair_pair_close(&both);
}

int main(void)
{
    TEST(test_both_ways);
    TEST(test_sleeping);
    return tap_done();
}
