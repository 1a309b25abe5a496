/* SPDX-License-Identifier: BSD-3-Clause */
/* The lease: who has one, how long, what renews it and what does not. */
#include "few.h"
#include "tap.h"

static struct few few;

static void times_fit(void)
{
    OK(TIME_LEASE * 100 <= TIME_REMOVE * 97, "clocks may differ by three in a hundred");
    OK(700 + TIME_RIDE + TIME_REPLY < TIME_LEASE, "a lease outlasts a silence of 0.7");
    OK(TIME_OLD_VOTERS >= TIME_STALE_VOTERS + TIME_REMOVE, "old configurations matter long enough");
    OK(TIME_GIVE_UP > TIME_REMOVE && TIME_GIVE_UP < 1000, "the verdict comes in time");
    OK(TIME_SUSPECT + DETECT_HEALTH_MAX * TIME_HEALTH < TIME_REMOVE - 3 * TIME_TELL,
       "in the worst health a suspicion is still told in time");
}

static void alone(void)
{
    few_start(&few, 1, 1);
    few_run(&few, 5000);
    OK(few_lease_left_ms(&few, 1) == UINT64_MAX && detect_may_act(few.at[1]),
       "one alone may act for ever");
    OK(detect_deadline(few.at[1]) == UINT64_MAX, "and has nothing to do");
    few_end(&few);
}

static void before_it_is_a_host(void)
{
    const struct detect_config config = {.self = 5, .dead_after_ns = 1000 * MS, .seed = 1};
    struct detect *detect = detect_create(&config, 0);
    OK(detect_lease_until(detect) == UINT64_MAX && !detect_may_act(detect),
       "before it is a host there is no lease to lose");
    detect_expire(detect, 5000 * MS);
    struct detect_news news;
    OK(!detect_next(detect, &news), "however long that takes");
    detect_destroy(detect);
    detect_destroy(NULL);
}

static void of_two(void)
{
    few_start(&few, 2, 2);
    few_run(&few, 3000);
    OK(few_lease_left_ms(&few, 1) == UINT64_MAX, "the tie-holder of two needs nobody");
    OK(few_lease_left_ms(&few, 2) >= TIME_LEASE - TIME_RIDE - 2, "the other's lease is young");
    few_cut_off(&few, 2, true);
    uint64_t left_ms = few_lease_left_ms(&few, 2);
    few_run(&few, left_ms - 1);
    EQUAL(few_told(&few, 2, DETECT_LEASE_LOST, 2), 0, "it lasts to its end");
    OK(detect_may_act(few.at[2]), "so long it may act");
    few_run(&few, 3);
    EQUAL(few_told(&few, 2, DETECT_LEASE_LOST, 2), 1, "then it is lost");
    OK(!detect_may_act(few.at[2]), "and it may not");
    EQUAL(few_told(&few, 1, DETECT_REMOVE, 2), 0, "before the leader removes it");
    few_run(&few, TIME_REMOVE - TIME_LEASE + 30);
    OK(few_told(&few, 1, DETECT_REMOVE, 2) > 0, "which it does soon after");
    few_cut_off(&few, 2, false);
    memset(few.sent, 0, sizeof(few.sent));
    few_run(&few, 500);
    OK(!detect_may_act(few.at[2]) && few_told(&few, 2, DETECT_LEASE_LOST, 2) == 1,
       "what is lost stays lost");
    EQUAL(few.sent[2][DM_TRAIN] + few.sent[2][DM_PROBED] + few.sent[2][DM_LAST_HEARD], 0,
          "who lost its lease says nothing more");
    few_end(&few);
}

/* The answer was under way while the daemon was frozen: its time is over first. */
static void late_answer(void)
{
    few_start(&few, 3, 3);
    few_run(&few, 2000);
    few_cut_off(&few, 3, true);
    few_run(&few, 20);
    detect_expire(few.at[3], few.now_ns + 130 * MS);
    struct arena arena;
    struct message message;
    uint64_t to;
    arena_init(&arena);
    bool has_asked = detect_pull(few.at[3], &arena, &to, &message) && message.type == DM_TRAIN;
    OK(has_asked, "a question went out");
    struct wire_dm_train train = message.dm_train;
    struct wire_rider rider = train.riders.items[0];
    rider.seen = 0x6;
    message.dm_train.riders.items = &rider;
    message.dm_train.next = 0;
    uint64_t until_ns = detect_lease_until(few.at[3]);
    detect_receive(few.at[3], 1, &message, until_ns);
    struct detect_news news;
    OK(detect_next(few.at[3], &news) && news.kind == DETECT_LEASE_LOST,
       "an answer that comes when the lease is over renews nothing");
    arena_fini(&arena);
    few_end(&few);
}

static void needs_majority(void)
{
    few_start(&few, 5, 5);
    few_run(&few, 2000);
    for (size_t i = 1; i <= 3; i++)
        few.cut[i][4] = few.cut[4][i] = few.cut[i][5] = few.cut[5][i] = true;
    few_run(&few, 930);
    EQUAL(few_told(&few, 4, DETECT_LEASE_LOST, 4), 1, "two of five lose their leases");
    EQUAL(few_told(&few, 5, DETECT_LEASE_LOST, 5), 1, "each of them");
    OK(few_lease_left_ms(&few, 2) > 700 && few_lease_left_ms(&few, 1) > 700, "three keep theirs");
    few_end(&few);
}

static void one_way(void)
{
    few_start(&few, 3, 3);
    few_run(&few, 2000);
    few.cut[1][3] = few.cut[2][3] = true; /* it is heard, and hears nothing */
    few_run(&few, 1000);
    EQUAL(few_told(&few, 3, DETECT_LEASE_LOST, 3), 1, "who hears no answer has no lease");
    few_end(&few);
}

static void through_others(void)
{
    few_start(&few, 3, 3);
    few_run(&few, 2000);
    few_forget_news(&few);
    few.cut[2][1] = few.cut[1][2] = true;
    few_run(&few, 4000);
    OK(!few_told(&few, 2, DETECT_LEASE_LOST, 2) && !few_told(&few, 1, DETECT_REMOVE, 2),
       "one that reaches the leader through another only stays");
    OK(few_told(&few, 2, DETECT_LEADER_HEARD, 1) > 0, "and hears of the leader");
    few_end(&few);
}

/* Voters 1, 2, 3; then 1, 2 is told to all but one, which goes on to ask as before. */
static void stale_voters(void)
{
    struct detect_voter list[3];
    few_start(&few, 3, 3);
    few_run(&few, 2000);
    few_voter_list(list, 2);
    for (size_t i = 1; i <= 2; i++)
        detect_set_voters(few.at[i], list, 2, 7, few.now_ns);
    few_run(&few, TIME_STALE_VOTERS - 10);
    OK(few_lease_left_ms(&few, 3) > 600, "one that is behind is confirmed for a while");
    few_run(&few, 1000);
    EQUAL(few_told(&few, 3, DETECT_LEASE_LOST, 3), 1, "but not for ever");
    few_end(&few);
}

static void tie_moves(void)
{
    struct detect_voter list[2] = {{1, 2, 0}, {2, 3, 0}};
    few_start(&few, 2, 2);
    few_run(&few, 1000);
    for (size_t i = 1; i <= 2; i++)
        detect_set_voters(few.at[i], list, 2, 2, few.now_ns);
    few_run(&few, 1);
    OK(few_lease_left_ms(&few, 2) == UINT64_MAX, "the new tie-holder needs nobody");
    OK(few_lease_left_ms(&few, 1) <= TIME_LEASE && few_lease_left_ms(&few, 1) > 900,
       "the old one has a lease from now on");
    few_run(&few, 2000);
    OK(few_lease_left_ms(&few, 1) > 700, "that is renewed");
    few_end(&few);
}

static void joint(void)
{
    /* From 1, 2, 3 to 1, 4, 5. */
    struct detect_voter list[5] = {{1, 3, 3}, {2, 0, 2}, {3, 0, 2}, {4, 2, 0}, {5, 2, 0}};
    few_start(&few, 5, 3);
    few_run(&few, 1000);
    for (size_t i = 1; i <= 5; i++)
        detect_set_voters(few.at[i], list, 5, 2, few.now_ns);
    few_run(&few, 1000);
    OK(few_lease_left_ms(&few, 1) > 700, "all together have both majorities");
    few_cut_off(&few, 4, true);
    for (size_t i = 1; i <= 5; i++)
        few.cut[5][i] = few.cut[i][5] = true;
    few_run(&few, 1000);
    EQUAL(few_told(&few, 1, DETECT_LEASE_LOST, 1), 1, "the old majority alone is not enough");
    few_end(&few);
}

int main(void)
{
    TEST(times_fit);
    TEST(alone);
    TEST(before_it_is_a_host);
    TEST(of_two);
    TEST(late_answer);
    TEST(needs_majority);
    TEST(one_way);
    TEST(through_others);
    TEST(stale_voters);
    TEST(tie_moves);
    TEST(joint);
    return tap_done();
}
