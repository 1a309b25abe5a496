/* SPDX-License-Identifier: BSD-3-Clause */
/* The leader's verdict: when it comes, whom it spares. */
#include "few.h"
#include "tap.h"

static struct few few;

static void silent_host(void)
{
    few_start(&few, 4, 3);
    few_run(&few, 2000);
    few_forget_news(&few);
    few_cut_off(&few, 4, true);
    few_run(&few, 700);
    EQUAL(few_told(&few, 1, DETECT_REMOVE, 4), 0, "after a silence of 0.7 nobody is removed");
    few_run(&few, 300);
    OK(few_told(&few, 1, DETECT_REMOVE, 4) > 0, "after 1.0 it is");
    EQUAL(few_told(&few, 2, DETECT_REMOVE, 4), 0, "only the leader judges");
    unsigned told = few_told(&few, 1, DETECT_REMOVE, 4);
    few_run(&few, 500);
    OK(few_told(&few, 1, DETECT_REMOVE, 4) >= told + 3, "it is said again while it is there");
    few_members(&few, 3);
    few_forget_news(&few);
    few_run(&few, 500);
    EQUAL(few_told(&few, 1, DETECT_REMOVE, 4), 0, "and not when it is gone");
    few_end(&few);
}

static void back_in_time(void)
{
    few_start(&few, 4, 3);
    few_run(&few, 2000);
    few_forget_news(&few);
    few_cut_off(&few, 4, true);
    few_run(&few, 700);
    unsigned suspected = few_told(&few, 1, DETECT_SUSPECTED, 4) +
                         few_told(&few, 2, DETECT_SUSPECTED, 4) +
                         few_told(&few, 3, DETECT_SUSPECTED, 4);
    OK(suspected > 0, "it is suspected by then");
    few_cut_off(&few, 4, false);
    few_run(&few, 1000);
    EQUAL(few_told(&few, 1, DETECT_REMOVE, 4), 0, "who comes back is not removed");
    EQUAL(few_told(&few, 1, DETECT_REFUTED, 4) + few_told(&few, 2, DETECT_REFUTED, 4) +
              few_told(&few, 3, DETECT_REFUTED, 4), suspected, "each suspicion is taken back");
    EQUAL(few_told(&few, 4, DETECT_LEASE_LOST, 4), 0, "and its lease went on");
    few_end(&few);
}

/* 4 reaches only voter 3, which confirms; but two voters are needed, so its lease will end: the
 * verdict waits all the same as long as it is heard of. */
static void heard_by_one_voter(void)
{
    few_start(&few, 4, 3);
    few_run(&few, 2000);
    few_forget_news(&few);
    for (size_t i = 1; i <= 2; i++)
        few.cut[4][i] = true;
    few_run(&few, 900);
    EQUAL(few_told(&few, 1, DETECT_REMOVE, 4), 0, "whom one voter hears is not removed");
    OK(few.sent[4][DM_TRAIN] > 0, "it lives");
    few_end(&few);
}

static void no_majority_no_verdict(void)
{
    few_start(&few, 3, 3);
    few_run(&few, 2000);
    few_forget_news(&few);
    few_cut_off(&few, 1, true);
    few_run(&few, 1500);
    EQUAL(few_told(&few, 1, DETECT_REMOVE, 2) + few_told(&few, 1, DETECT_REMOVE, 3), 0,
          "a leader that is cut off removes nobody");
    few_end(&few);
}

/* The old leader is gone silently; the new one removes it without having heard anything before. */
static void new_leader(void)
{
    few_start(&few, 3, 3);
    few_run(&few, 2000);
    few_forget_news(&few);
    few_cut_off(&few, 1, true);
    few_run(&few, 800);
    for (size_t i = 2; i <= 3; i++)
        detect_set_leader(few.at[i], 2, 2, few.now_ns);
    few_run(&few, 200);
    OK(few_told(&few, 2, DETECT_REMOVE, 1) > 0, "a new leader removes the old one in time");
    EQUAL(few_told(&few, 1, DETECT_LEASE_LOST, 1), 1, "whose lease was over");
    few_end(&few);
}

/* After a change of voters those of before have a say while leases of theirs may be in force. */
static void old_voters_asked(void)
{
    struct detect_voter list[2] = {{1, 3, 0}, {2, 2, 0}};
    few_start(&few, 4, 3);
    few_run(&few, 2000);
    few.cut[4][1] = few.cut[4][2] = true; /* the leader and 2 do not hear it */
    for (size_t i = 1; i <= 3; i++)
        detect_set_voters(few.at[i], list, 2, 9, few.now_ns);
    few_forget_news(&few);
    few_run(&few, 1000);
    EQUAL(few_told(&few, 1, DETECT_REMOVE, 4), 0, "a voter of before that hears it is heard");
    few_end(&few);
}

/* The founder led and voted alone, left, and lately others vote: of one that was never heard to
 * know of them the founder would have to be asked. It counts as silent since it left. */
static void old_voter_gone(void)
{
    const struct detect_voter list[3] = {{2, 3, 0}, {3, 2, 0}, {4, 2, 0}};
    const uint64_t ids[] = {2, 3, 4, 5};
    few_start(&few, 5, 1);
    few_cut_off(&few, 5, true);
    few_cut_off(&few, 1, true);
    for (size_t i = 2; i <= 5; i++) {
        detect_set_voters(few.at[i], list, 3, 2, few.now_ns);
        detect_set_members(few.at[i], ids, 4, few.now_ns);
        detect_set_leader(few.at[i], 2, 2, few.now_ns);
    }
    few_forget_news(&few);
    few_run(&few, 940);
    EQUAL(few_told(&few, 2, DETECT_REMOVE, 5), 0, "not while a lease by the founder may last");
    few_run(&few, 110);
    OK(few_told(&few, 2, DETECT_REMOVE, 5) > 0, "and not much later");
    few_end(&few);
}

int main(void)
{
    TEST(old_voter_gone);
    TEST(silent_host);
    TEST(back_in_time);
    TEST(heard_by_one_voter);
    TEST(no_majority_no_verdict);
    TEST(new_leader);
    TEST(old_voters_asked);
    return tap_done();
}
