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

int main(void)
{
    TEST(test_small);
    TEST(test_without_reader);
    return tap_done();
}
