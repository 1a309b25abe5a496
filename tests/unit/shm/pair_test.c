/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages of a pair: order, growth, bodies of every shape, what is lent and comes back. */
#include "shm/pair.h"

#include "base/mem.h"
#include "pair_pair.h"
#include "tap.h"

static struct pair_pair both;

static struct parcel small(const void *bytes, size_t length, uint64_t sequence)
{
    return (struct parcel){.tag = 7,
                           .context = 3,
                           .encoding = 2,
                           .sequence = sequence,
                           .time = sequence * 10 + 1,
                           .bytes = bytes,
                           .length = length};
}

static void test_small(void)
{
    static const char text[] = "twelve bytes";
    struct parcel got;
    OK(pair_pair_open(&both, 8), "a pair of pairs");
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_NONE, "nothing yet");
    const struct parcel out = small(text, 12, 5);
    EQUAL(shm_pair_send(both.a.pair, &out), SHM_OK, "sent");
    OK(shm_pair_has_news(both.b.pair), "there is news");
    EQUAL(shm_pair_waiting_slots(both.a.pair), 1, "one slot waits");
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_OK, "received");
    OK(got.tag == 7 && got.context == 3 && got.encoding == 2 && got.sequence == 5 &&
           got.time == 51 && got.wait_id == 0 && got.party == 0 && !got.is_mcast,
       "the head is as it was");
    OK(got.bytes && got.length == 12 && memcmp(got.bytes, text, 12) == 0, "the body too");
    shm_pair_taken(both.b.pair);
    EQUAL(shm_pair_waiting_slots(both.a.pair), 0, "no slot waits");
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_NONE, "nothing more");
    pair_pair_close(&both);
    OK(both.a.ground.is_gone && both.b.ground.is_gone, "the heaps are gone");
    OK(both.a.view_is_gone && both.b.view_is_gone, "the views are gone");
}

static void test_without_reader(void)
{
    enum { MESSAGES = 100000 };
    struct parcel got;
    int failed = 0;
    OK(pair_pair_open(&both, 32), "a pair of pairs");
    for (uint64_t i = 0; i < MESSAGES; i++) {
        const struct parcel out = small(&i, sizeof(i), i);
        failed += shm_pair_send(both.a.pair, &out) != SHM_OK;
    }
    EQUAL(failed, 0, "a hundred thousand messages are sent though nobody reads");
    OK(shm_pair_waiting_slots(both.a.pair) >= MESSAGES, "they wait");
    for (uint64_t i = 0; i < MESSAGES; i++) {
        if (shm_pair_receive(both.b.pair, &got) != SHM_OK || got.sequence != i ||
            got.length != sizeof(i) || memcmp(got.bytes, &i, sizeof(i)) != 0)
            failed++;
        shm_pair_taken(both.b.pair);
    }
    EQUAL(failed, 0, "and come in order");
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_NONE, "nothing more");
    EQUAL(shm_pair_release(both.a.pair), SHM_NONE, "nothing to give back");
    OK(shm_heap_stats(both.a.ground.heap).used_bytes < 128 * 1024, "the old rings are free");
    pair_pair_close(&both);
    OK(both.a.ground.is_gone && both.b.ground.is_gone, "the heaps are gone");
}

/* A reader that keeps up: the ring stays small, whatever goes through it. */
static void test_wrap(void)
{
    struct parcel got;
    int failed = 0;
    pair_pair_open(&both, 8);
    const uint64_t used = shm_heap_stats(both.a.ground.heap).used_bytes;
    for (uint64_t i = 0; i < 5000; i++) {
        const struct parcel out = small(&i, sizeof(i), i);
        failed += shm_pair_send(both.a.pair, &out) != SHM_OK;
        failed += shm_pair_receive(both.b.pair, &got) != SHM_OK || got.sequence != i;
        shm_pair_taken(both.b.pair);
    }
    EQUAL(failed, 0, "five thousand messages go round a ring of eight");
    EQUAL(shm_heap_stats(both.a.ground.heap).used_bytes, used, "which did not grow");
    pair_pair_close(&both);
}

/* Bursts of |burst| with a reader between them. */
static void play_bursts(uint64_t burst, uint64_t rounds, uint64_t used_max)
{
    struct parcel got;
    int failed = 0;
    uint64_t sent = 0, seen = 0;
    pair_pair_open(&both, 32);
    for (uint64_t round = 0; round < rounds; round++) {
        for (uint64_t i = 0; i < burst; i++, sent++) {
            const struct parcel out = small(&sent, sizeof(sent), sent);
            failed += shm_pair_send(both.a.pair, &out) != SHM_OK;
        }
        /* Not always to the end, so that reading stands anywhere when it goes on. */
        const uint64_t left = round + 1 < rounds ? round % 3 : 0;
        while (sent - seen > left) {
            failed += shm_pair_receive(both.b.pair, &got) != SHM_OK || got.sequence != seen ||
                      memcmp(got.bytes, &seen, sizeof(seen)) != 0;
            shm_pair_taken(both.b.pair);
            seen++;
        }
    }
    shm_pair_release(both.a.pair);
    EQUAL(failed, 0, "bursts arrive in order");
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_NONE, "and nothing more");
    OK(shm_heap_stats(both.a.ground.heap).used_bytes <= used_max, "in a ring that fits them");
    pair_pair_close(&both);
    OK(both.a.ground.is_gone, "every ring came back");
}

static void test_growth(void)
{
    for (uint64_t burst = 1; burst < 40; burst++)
        play_bursts(burst, 30, burst < 5 ? 2048 : 32768);
    play_bursts(100, 50, 32768);
    play_bursts(300, 50, 81920);
    play_bursts(508, 50, 81920);
    play_bursts(511, 50, 81920);
    play_bursts(512, 50, 81920);
    play_bursts(5000, 5, 81920);
}

/* Sending begins before the peer has joined, and it joins by the first ring. */
static void test_before_joining(void)
{
    struct parcel got;
    int failed = 0;
    side_open(&both.a, 8, 8 * SHM_AREA_BYTES);
    side_open(&both.b, 8, 8 * SHM_AREA_BYTES);
    OK(!shm_pair_is_joined(both.a.pair) && !shm_pair_next_slot(both.a.pair), "not joined");
    EQUAL(shm_pair_receive(both.a.pair, &got), SHM_NONE, "nothing comes yet");
    OK(!shm_pair_has_news(both.a.pair), "no news");
    EQUAL(shm_pair_release(both.a.pair), SHM_NONE, "nothing to give back");
    shm_pair_collect(both.a.pair);
    for (uint64_t i = 0; i < 1000; i++) {
        const struct parcel out = small(&i, sizeof(i), i);
        failed += shm_pair_send(both.a.pair, &out) != SHM_OK;
    }
    EQUAL(side_join(&both.b, &both.a), SHM_OK, "the other side joins");
    EQUAL(side_join(&both.a, &both.b), SHM_OK, "then this one");
    OK(shm_pair_next_slot(both.b.pair) != NULL && shm_pair_cookie(both.b.pair) == &both.b, "so");
    for (uint64_t i = 0; i < 1000; i++) {
        failed += shm_pair_receive(both.b.pair, &got) != SHM_OK || got.sequence != i;
        shm_pair_taken(both.b.pair);
    }
    EQUAL(failed, 0, "all that was sent meanwhile is there");
    pair_pair_close(&both);
}

static void test_never_joined(void)
{
    side_open(&both.a, 8, 8 * SHM_AREA_BYTES);
    const struct parcel out = {.length = 0};
    EQUAL(shm_pair_send(both.a.pair, &out), SHM_OK, "sent to nobody");
    side_close(&both.a);
    OK(both.a.ground.is_gone && !both.a.view_is_gone, "closed without a view");
}

/* What it costs to know somebody. */
static void test_cost(void)
{
    struct shm_pair *pairs[100];
    pair_pair_open(&both, 8);
    const uint64_t used = shm_heap_stats(both.a.ground.heap).used_bytes;
    for (size_t i = 0; i < 100; i++)
        pairs[i] = shm_pair_create(both.a.ground.heap, NULL);
    const uint64_t cost = shm_heap_stats(both.a.ground.heap).used_bytes - used;
    OK(cost <= 100 * 1280, "a pair costs 1280 bytes");
    for (size_t i = 0; i < 100; i++)
        shm_pair_close(pairs[i]);
    pair_pair_close(&both);
    OK(both.a.ground.is_gone, "all came back");
}

/* A ring lies where other things lay: what looks like a stamp there is none. */
static void test_stale_stamps(void)
{
    enum { SECOND_RING = SHM_RING_SLOTS_FIRST * SHM_RING_SLOTS_STEP };
    struct parcel got;
    pair_pair_open(&both, 8);
    struct buf *buf = shm_heap_get(both.a.ground.heap, SECOND_RING * SHM_SLOT_BYTES);
    struct shm_slot *slots = (void *)buf->data;
    for (uint32_t p = SHM_RING_SLOTS_FIRST; p < SHM_RING_SLOTS_FIRST + SECOND_RING; p++) {
        slots[p % SECOND_RING].kind = SHM_BYTES;
        slots[p % SECOND_RING].flags = 0;
        slots[p % SECOND_RING].count = 1;
        atomic_store(&slots[p % SECOND_RING].stamp, shm_stamp(p));
    }
    buf_drop(buf);
    for (uint64_t i = 0; i < SHM_RING_SLOTS_FIRST; i++) {
        const struct parcel out = small("x", 1, i);
        shm_pair_send(both.a.pair, &out);
    }
    for (uint64_t i = 0; i < SHM_RING_SLOTS_FIRST; i++) {
        OK(shm_pair_receive(both.b.pair, &got) == SHM_OK && got.sequence == i, "as sent");
        shm_pair_taken(both.b.pair);
    }
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_NONE, "and nothing of what lay there");
    pair_pair_close(&both);
}

/* A message is read again until it is taken. */
static void test_not_taken(void)
{
    struct parcel got;
    pair_pair_open(&both, 8);
    const struct parcel out = small("x", 1, 4);
    shm_pair_send(both.a.pair, &out);
    for (int i = 0; i < 3; i++) {
        EQUAL(shm_pair_receive(both.b.pair, &got), SHM_OK, "there");
        EQUAL(got.sequence, 4, "the same");
        EQUAL(shm_pair_waiting_slots(both.a.pair), 1, "it waits");
    }
    shm_pair_taken(both.b.pair);
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_NONE, "taken");
    pair_pair_close(&both);
}

int main(void)
{
    TEST(test_small);
    TEST(test_without_reader);
    TEST(test_wrap);
    TEST(test_growth);
    TEST(test_before_joining);
    TEST(test_never_joined);
    TEST(test_cost);
    TEST(test_stale_stamps);
    TEST(test_not_taken);
    return tap_done();
}
