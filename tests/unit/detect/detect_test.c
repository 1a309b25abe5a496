/* SPDX-License-Identifier: BSD-3-Clause */
/* The entries of the detector: nonsense, changes of members, no memory. */
#include "base/mem.h"
#include "few.h"
#include "tap.h"

static struct few few;

static int feed_train(const uint64_t *stops, size_t stop_count, const struct wire_rider *riders,
                      size_t rider_count, uint8_t next, uint8_t leader)
{
    struct wire_voter items[64];
    for (size_t i = 0; i < stop_count; i++)
        items[i].id = stops[i];
    struct message message = {.type = DM_TRAIN,
                              .dm_train = {.next = next,
                                           .leader = leader,
                                           .term = 1,
                                           .voters_index = 1,
                                           .stops = {stop_count, items},
                                           .riders = {rider_count, riders}}};
    return detect_receive(few.at[1], 2, &message, few.now_ns);
}

static void nonsense(void)
{
    uint64_t stops[64] = {2, 1, 3};
    struct wire_rider riders[64] = {{.stop = 0, .round = 1}};
    struct message message = {.type = DM_HALT};
    few_start(&few, 3, 3);
    EQUAL(detect_receive(few.at[1], 2, &message, few.now_ns), -1, "a message of others is refused");
    EQUAL(feed_train(stops, 3, riders, 1, 1, 0), 0, "a train is taken");
    EQUAL(feed_train(stops, 0, riders, 0, 0, 0), -1, "one without stops is not");
    EQUAL(feed_train(stops, 64, riders, 1, 1, 0), -1, "nor one with too many");
    EQUAL(feed_train(stops, 3, riders, 4, 1, 0), -1, "nor one with too many riders");
    EQUAL(feed_train(stops, 3, riders, 1, 3, 0), -1, "nor one that goes nowhere");
    EQUAL(feed_train(stops, 3, riders, 1, 1, 4), -1, "nor one led from nowhere");
    riders[0].stop = 3;
    EQUAL(feed_train(stops, 3, riders, 1, 1, 0), -1, "nor one with a rider from nowhere");
    riders[0] = (struct wire_rider){.stop = 1, .round = 0x7fffffff, .seen = 0xffff};
    uint64_t until_ns = detect_lease_until(few.at[1]);
    EQUAL(feed_train(stops, 3, riders, 1, 1, 0), 0, "a departure that never was");
    OK(detect_lease_until(few.at[1]) == until_ns, "confirms nothing");
    few_end(&few);
}

static void endless_train(void)
{
    uint64_t stops[3] = {2, 1, 3};
    struct wire_rider rider = {.stop = 0, .round = 1};
    few_start(&few, 3, 3);
    struct wire_voter items[3] = {{2}, {1}, {3}};
    struct message message = {.type = DM_TRAIN,
                              .dm_train = {.hops = 200, .next = 1, .voters_index = 1,
                                           .stops = {3, items}, .riders = {1, &rider}}};
    uint64_t to;
    struct arena arena;
    arena_init(&arena);
    few_settle(&few);
    detect_receive(few.at[1], 2, &message, few.now_ns);
    OK(!detect_pull(few.at[1], &arena, &to, &message), "a train ends after so many hops");
    arena_fini(&arena);
    (void)stops;
    few_end(&few);
}

static void members_change(void)
{
    few_start(&few, 5, 3);
    few_run(&few, 1000);
    few_members(&few, 4);
    few_cut_off(&few, 5, true);
    few_forget_news(&few);
    few_run(&few, 2000);
    OK(!few_told(&few, 1, DETECT_REMOVE, 5) && !few_told(&few, 1, DETECT_SUSPECTED, 5),
       "who is no member is not watched");
    few_end(&few);
}

/* Everything that takes memory, with each allocation failing once and from then on: nothing breaks,
 * and when memory is back the lease is renewed as before. */
static void without_memory(void)
{
    bool good = true;
    for (uint64_t nth = 1; nth < 120; nth++) {
        few_start(&few, 4, 3);
        few_run(&few, 300);
        struct detect_voter list[4];
        const uint64_t ids[] = {1, 2, 3, 4, 6, 7, 8};
        few_voter_list(list, 4);
        mem_fail_at(nth, nth % 2);
        int members = detect_set_members(few.at[1], ids, 7, few.now_ns);
        int voters = detect_set_voters(few.at[1], list, 4, 2, few.now_ns);
        few_cut_off(&few, 4, true);
        few_run(&few, 400);
        detect_dead(few.at[2], 3, few.now_ns);
        few_settle(&few);
        mem_fail_at(0, 0);
        few_cut_off(&few, 4, false);
        if (members || voters) {
            good &= detect_set_members(few.at[1], ids, 7, few.now_ns) == 0;
            good &= detect_set_voters(few.at[1], list, 4, 2, few.now_ns) == 0;
        }
        few_run(&few, 300);
        good &= few_lease_left_ms(&few, 2) > 500;
        few_end(&few);
    }
    OK(good, "without memory notes are lost, nothing else");
    mem_fail_at(1, 0);
    const struct detect_config config = {.self = 1, .dead_after_ns = 1000 * MS};
    OK(!detect_create(&config, 0), "none begins without memory");
    mem_fail_at(0, 0);
}

int main(void)
{
    TEST(nonsense);
    TEST(endless_train);
    TEST(members_change);
    TEST(without_memory);
    return tap_done();
}
