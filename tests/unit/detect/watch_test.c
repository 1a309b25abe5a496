/* SPDX-License-Identifier: BSD-3-Clause */
/* Probes, through others too; suspicion; certain deaths; the ring; local health. */
#include "few.h"
#include "tap.h"

static struct few few;

static void feed(size_t to, size_t from, struct message message)
{
    detect_receive(few.at[to], from, &message, few.now_ns);
}

static bool pull(size_t id, uint64_t *to, struct message *message)
{
    static struct arena arena;
    arena_reset(&arena);
    return detect_pull(few.at[id], &arena, to, message);
}

static void probes(void)
{
    struct message message = {.type = DM_PROBE, .dm_probe = {.about = 1, .origin = 2, .round = 7}};
    uint64_t to;
    few_start(&few, 4, 3);
    few_run(&few, 20);
    feed(1, 2, message);
    OK(pull(1, &to, &message) && to == 2 && message.type == DM_PROBED &&
           message.dm_probed.round == 7 && message.dm_probed.about == 1,
       "a probe is answered with its number");
    message = (struct message){.type = DM_PROBE, .dm_probe = {.about = 3, .origin = 2, .round = 8}};
    feed(1, 2, message);
    OK(pull(1, &to, &message) && to == 3 && message.type == DM_PROBE &&
           message.dm_probe.origin == 2, "a probe for another is passed on");
    message = (struct message){.type = DM_PROBE, .dm_probe = {.about = 3, .origin = 4, .round = 8}};
    feed(1, 2, message);
    OK(!pull(1, &to, &message), "but only once");
    message =
        (struct message){.type = DM_PROBED, .dm_probed = {.about = 3, .origin = 2, .round = 8}};
    feed(1, 3, message);
    OK(pull(1, &to, &message) && to == 2 && message.type == DM_PROBED, "so is the answer");
    feed(1, 4, message);
    OK(!pull(1, &to, &message), "if it comes from whom it is about");
    message = (struct message){.type = DM_PROBE, .dm_probe = {.about = 9, .origin = 2, .round = 8}};
    feed(1, 2, message);
    OK(!pull(1, &to, &message), "nothing goes to strangers");
    few_end(&few);
}

static void indirect(void)
{
    few_start(&few, 8, 3);
    few_run(&few, 2000);
    few_forget_news(&few);
    for (size_t i = 1; i <= 3; i++) /* 8 cannot talk with the voters directly, both ways */
        few.cut[8][i] = few.cut[i][8] = true;
    few_run(&few, 600);
    unsigned asked = 0;
    for (size_t i = 1; i <= 8; i++)
        asked += few.sent[i][DM_PROBE];
    OK(asked > 4, "others are asked to probe");
    few_run(&few, 2000);
    EQUAL(few_told(&few, 1, DETECT_REMOVE, 8), 0, "an answer through them counts");
    few_end(&few);
}

static void old_answer(void)
{
    few_start(&few, 3, 3);
    few_run(&few, 1000);
    few_forget_news(&few);
    few_cut_off(&few, 3, true);
    few_run(&few, 500);
    OK(few_told(&few, 1, DETECT_SUSPECTED, 3), "it is suspected");
    struct message message = {.type = DM_PROBED,
                              .dm_probed = {.about = 3, .origin = 1, .round = 1}};
    feed(1, 2, message);
    few_settle(&few);
    EQUAL(few_told(&few, 1, DETECT_REFUTED, 3), 0, "an old answer is no sign of life");
    detect_heard(few.at[1], 3, few.now_ns);
    few_settle(&few);
    EQUAL(few_told(&few, 1, DETECT_REFUTED, 3), 1, "anything genuine is");
    few_end(&few);
}

static void own_freeze(void)
{
    few_start(&few, 3, 3);
    few_run(&few, 2000);
    few_forget_news(&few);
    few.is_frozen[1] = true; /* the leader stops for 0.6 */
    few_run(&few, 600);
    few.is_frozen[1] = false;
    detect_expire(few.at[1], few.now_ns);
    OK(detect_local_health(few.at[1]) > 0, "who ran late trusts itself less");
    few_step(&few, 1);
    EQUAL(few_told(&few, 1, DETECT_SUSPECTED, 2) + few_told(&few, 1, DETECT_SUSPECTED, 3), 0,
          "the time in which it did not run is nobody's silence");
    few_run(&few, 2000);
    EQUAL(detect_local_health(few.at[1]), 0, "health comes back");
    EQUAL(few_told(&few, 1, DETECT_LEASE_LOST, 1), 0, "its lease went on");
    few_end(&few);
}

static void certain_death(void)
{
    few_start(&few, 4, 3);
    few_run(&few, 1000);
    few_cut_off(&few, 4, true);
    few_forget_news(&few);
    detect_dead(few.at[2], 4, few.now_ns);
    few_settle(&few);
    EQUAL(few_told(&few, 2, DETECT_DEAD, 4), 1, "who is told of a death says so");
    EQUAL(few_told(&few, 1, DETECT_DEAD, 4), 1, "the leader is told");
    EQUAL(few_told(&few, 1, DETECT_REMOVE, 4), 1, "and removes it at once");
    detect_dead(few.at[2], 4, few.now_ns);
    few_settle(&few);
    EQUAL(few_told(&few, 2, DETECT_DEAD, 4), 1, "once");
    few_end(&few);
}

static void lost_tombstone(void)
{
    few_start(&few, 4, 3);
    few_run(&few, 1000);
    few_cut_off(&few, 4, true);
    few_forget_news(&few);
    few.cut[2][1] = true;
    detect_dead(few.at[2], 4, few.now_ns);
    few_run(&few, 100);
    EQUAL(few_told(&few, 1, DETECT_REMOVE, 4), 0, "the leader did not get it");
    few.cut[2][1] = false;
    few_run(&few, TIME_TOMBSTONE + 2);
    EQUAL(few_told(&few, 1, DETECT_REMOVE, 4), 1, "it is told again");
    few_end(&few);
}

static void death_of_leader(void)
{
    few_start(&few, 4, 3);
    few_run(&few, 1000);
    few_cut_off(&few, 1, true);
    few_forget_news(&few);
    detect_dead(few.at[4], 1, few.now_ns);
    few_settle(&few);
    EQUAL(few_told(&few, 2, DETECT_DEAD, 1), 1, "all voters are told when the leader is dead");
    EQUAL(few_told(&few, 3, DETECT_DEAD, 1), 1, "each");
    for (size_t i = 2; i <= 4; i++)
        detect_set_leader(few.at[i], 2, 2, few.now_ns);
    few_settle(&few);
    EQUAL(few_told(&few, 2, DETECT_REMOVE, 1), 1, "the new one removes the old one at once");
    few_end(&few);
}

static void ring(void)
{
    for (size_t count = 1; count <= 8; count++) {
        few_start(&few, count, 1);
        unsigned watched[FEW_MAX + 1] = {0};
        bool good = true;
        for (size_t i = 1; i <= count; i++) {
            uint64_t ids[DETECT_WATCHERS_MAX];
            size_t n = detect_watchers(few.at[i], ids);
            good &= n == MIN_OF(count - 1, DETECT_WATCHERS_MAX);
            for (size_t j = 0; j < n; j++) {
                good &= ids[j] != i && (j == 0 || ids[j] != ids[j - 1]);
                watched[ids[j]]++;
            }
        }
        for (size_t i = 1; i <= count; i++)
            good &= watched[i] == MIN_OF(count - 1, DETECT_WATCHERS_MAX);
        OK(good, "everybody is watched by three others, and watches three");
        few_end(&few);
    }
}

static void targets_probed(void)
{
    few_start(&few, 8, 1);
    few_run(&few, 3000);
    unsigned least = UINT32_MAX;
    for (size_t i = 2; i <= 8; i++)
        least = MIN_OF(least, few.sent[i][DM_PROBE] + few.sent[i][DM_TRAIN]);
    OK(least >= 5, "everybody asks after its targets, or meets them on trains");
    few_end(&few);
}

static void leader_evidence(void)
{
    few_start(&few, 3, 3);
    few_run(&few, 1000);
    few_forget_news(&few);
    few_run(&few, 400);
    OK(few_told(&few, 1, DETECT_VOTER_HEARD, 2) + few_told(&few, 1, DETECT_VOTER_HEARD, 3) >= 2,
       "the leader learns who follows it");
    OK(few_told(&few, 2, DETECT_LEADER_HEARD, 1) >= 2, "who votes hears the leader");
    detect_set_leader(few.at[2], 0, 2, few.now_ns);
    detect_set_leader(few.at[3], 0, 2, few.now_ns);
    few_forget_news(&few);
    few_run(&few, 400);
    OK(!few_told(&few, 1, DETECT_VOTER_HEARD, 2) && !few_told(&few, 1, DETECT_VOTER_HEARD, 3),
       "who does not follow is no evidence");
    OK(!few_told(&few, 2, DETECT_LEADER_HEARD, 1), "and an old term is not heard");
    few_end(&few);
}

int main(void)
{
    TEST(probes);
    TEST(indirect);
    TEST(old_answer);
    TEST(own_freeze);
    TEST(certain_death);
    TEST(lost_tombstone);
    TEST(death_of_leader);
    TEST(ring);
    TEST(targets_probed);
    TEST(leader_evidence);
    return tap_done();
}
