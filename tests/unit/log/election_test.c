/* SPDX-License-Identifier: BSD-3-Clause */
/* The rules of voting and counting, one by one, on a single log that is told what others say. */
#include "cluster.h"
#include "tap.h"

static struct cluster cluster;
static struct message answer;

static struct log *log_of(int member)
{
    return cluster.members[member].log;
}

/* What |member| answers to a question of |from|. */
static const struct wire_dm_voted *ask(int member, int from, struct wire_dm_vote vote)
{
    struct message message = {.type = DM_VOTE};
    uint64_t to;
    message.dm_vote = vote;
    log_receive(log_of(member), (uint64_t)from, &message, cluster.now_ns);
    memset(&answer, 0, sizeof(answer));
    while (log_pull(log_of(member), cluster.now_ns, &cluster.arena, &to, &answer)) {
        if (answer.type == DM_VOTED && to == (uint64_t)from)
            return &answer.dm_voted;
    }
    return &answer.dm_voted;
}

/* Three voters whose leader was not heard of for long. */
static void begin(uint64_t silence_ns)
{
    cluster_begin(&cluster, 1, 3, 3);
    cluster.now_ns += silence_ns;
}

static void end(void)
{
    cluster_fini(&cluster);
}

static struct wire_dm_vote vote_of(int candidate, uint64_t term)
{
    const struct log *log = log_of(candidate);
    uint64_t last = log_last_index(log);
    return (struct wire_dm_vote){
        .term = term, .last_index = last, .last_term = entry_term(log, last)};
}

static void test_one_vote_a_term(void)
{
    begin(10000 * MS);
    OK(ask(3, 2, vote_of(2, 5))->granted, "a voter without a leader votes");
    EQUAL(answer.dm_voted.term, 5, "in the term asked for");
    OK(!ask(3, 1, vote_of(1, 5))->granted, "for one in a term");
    OK(ask(3, 2, vote_of(2, 5))->granted, "for that one again, if it asks again");
    OK(!ask(3, 1, vote_of(1, 4))->granted, "in an older term for nobody");
    EQUAL(answer.dm_voted.term, 5, "which it says");
    OK(ask(3, 1, vote_of(1, 6))->granted, "in a newer one for another");
    end();
}

static void test_older_logs_lose(void)
{
    begin(10000 * MS);
    struct wire_dm_vote vote = vote_of(2, 5);
    vote.last_index--;
    OK(!ask(3, 2, vote)->granted, "a shorter log gets no vote");
    vote.last_term++;
    OK(ask(3, 2, vote)->granted, "with a later last term it does");
    vote = vote_of(2, 6);
    vote.last_term--;
    vote.last_index += 10;
    OK(!ask(3, 1, vote)->granted, "an earlier last term gets none, however long");
    end();
}

static void test_pre_votes_change_nothing(void)
{
    begin(10000 * MS);
    struct wire_dm_vote vote = vote_of(2, 5);
    vote.pre = 1;
    OK(ask(3, 2, vote)->granted && answer.dm_voted.pre, "an opinion is given");
    OK(ask(3, 1, vote)->granted, "to as many as ask");
    EQUAL(log_term(log_of(3)), 1, "and no term begins");
    vote.term = 1;
    OK(!ask(3, 2, vote)->granted, "not for a term that is");
    end();
}

static void test_who_has_a_leader_keeps_it(void)
{
    begin(0);
    struct wire_dm_vote vote = vote_of(2, 5);
    OK(!ask(3, 2, vote)->granted, "who heard of its leader votes for nobody else");
    EQUAL(answer.dm_voted.leader, 1, "and says whom it follows");
    EQUAL(log_term(log_of(3)), 1, "nor enters a term for that");
    OK(!ask(1, 2, vote)->granted && log_is_leader(log_of(1)), "nor does the leader itself");
    OK(ask(3, 1, vote_of(1, 5))->granted, "but for its leader, who let go");
    end();
}

static void test_leader_wishes_another(void)
{
    begin(0);
    struct wire_dm_vote vote = vote_of(2, 5);
    vote.transfer = 1;
    OK(ask(3, 2, vote)->granted, "when its leader wishes it, it votes");
    OK(ask(1, 2, vote)->granted && !log_is_leader(log_of(1)), "the leader too, and lets go");
    end();
}

static void test_dead_leader_is_not_kept(void)
{
    begin(0);
    struct wire_dm_vote vote = vote_of(2, 5);
    vote.dead = 1;
    OK(ask(3, 2, vote)->granted, "a leader that is dead is not kept");
    EQUAL(log_leader(log_of(3)), 0, "it leads no more");
    end();
}

/* Figure 3.7 of the dissertation: an entry of an older term that a majority has may still be
 * replaced, so it is not committed before an entry of the leader's own term is. */
static void test_older_terms_are_not_counted(void)
{
    struct wire_entry entry = {.index = 0, .term = 1, .command = {(const uint8_t *)"old", 3}};
    struct message append = {.type = DM_APPEND};
    struct message told = {.type = DM_APPENDED};
    struct message voted = {.type = DM_VOTED};
    begin(0);
    uint64_t last = log_last_index(log_of(2));
    entry.index = last + 1;
    append.dm_append = (struct wire_dm_append){.term = 1,
                                               .leader = 1,
                                               .previous_index = last,
                                               .previous_term = 1,
                                               .commit = last,
                                               .entries = {1, &entry}};
    log_receive(log_of(2), 1, &append, cluster.now_ns);
    cluster.now_ns += 10000 * MS;
    log_expire(log_of(2), cluster.now_ns);
    voted.dm_voted = (struct wire_dm_voted){.term = 2, .pre = 1, .granted = 1};
    log_receive(log_of(2), 3, &voted, cluster.now_ns);
    voted.dm_voted.pre = 0;
    log_receive(log_of(2), 3, &voted, cluster.now_ns);
    OK(log_is_leader(log_of(2)), "a leader with an entry of an older term");
    told.dm_appended = (struct wire_dm_appended){.term = 2, .index = last + 1, .matched = 1};
    log_receive(log_of(2), 3, &told, cluster.now_ns);
    EQUAL(log_commit_index(log_of(2)), last, "a majority has it: not committed");
    EQUAL(log_change_voters(log_of(2), (const uint64_t[]){2, 3}, 2, 2), -1,
          "nor may voters change before an entry of its term is");
    told.dm_appended.term = 1;
    told.dm_appended.index = last + 2;
    EQUAL(log_receive(log_of(2), 3, &told, cluster.now_ns), -1, "an answer of an older term");
    EQUAL(log_commit_index(log_of(2)), last, "counts for nothing");
    told.dm_appended.term = 2;
    log_receive(log_of(2), 3, &told, cluster.now_ns);
    EQUAL(log_commit_index(log_of(2)), last + 2, "with the entry of its own term both are");
    end();
}

/* tests/model/log.pml, BREAK_FEED. */
static void test_candidate_is_fed(void)
{
    struct message append = {.type = DM_APPEND};
    struct message voted = {.type = DM_VOTED};
    begin(10000 * MS);
    log_expire(log_of(3), cluster.now_ns);
    voted.dm_voted = (struct wire_dm_voted){.term = 2, .pre = 1, .granted = 1};
    log_receive(log_of(3), 2, &voted, cluster.now_ns);
    EQUAL(log_role(log_of(3)), LOG_CANDIDATE, "a candidate");
    uint64_t last = log_last_index(log_of(3));
    append.dm_append = (struct wire_dm_append){
        .term = 2, .leader = 1, .fed = 1, .previous_index = last, .previous_term = 1};
    log_receive(log_of(3), 2, &append, cluster.now_ns);
    EQUAL(log_role(log_of(3)), LOG_FOLLOWER, "that hears of a leader in its term stands no more");
    EQUAL(log_leader(log_of(3)), 1, "and follows");
    end();
}

/* A snapshot that comes late may not take away entries that were said to be here. */
static void test_late_snapshot_keeps_entries(void)
{
    struct wire_voter voter = {1};
    struct wire_entry entries[2] = {{1, 1, {(const uint8_t *)"a", 1}},
                                    {2, 1, {(const uint8_t *)"b", 1}}};
    struct message message = {.type = DM_APPEND};
    cluster_init(&cluster, 1);
    cluster_create(&cluster, 2);
    message.dm_append = (struct wire_dm_append){.term = 1, .leader = 1, .entries = {2, entries}};
    log_receive(log_of(2), 1, &message, cluster.now_ns);
    EQUAL(log_last_index(log_of(2)), 2, "two entries, said to be here");
    message = (struct message){.type = DM_SNAPSHOT};
    message.dm_snapshot = (struct wire_dm_snapshot){.term = 1,
                                                    .leader = 1,
                                                    .index = 1,
                                                    .index_term = 1,
                                                    .voters = {1, &voter},
                                                    .tie = 1,
                                                    .state = {(const uint8_t *)"x", 1}};
    EQUAL(log_receive(log_of(2), 1, &message, cluster.now_ns), 0, "a snapshot of the first");
    EQUAL(log_last_index(log_of(2)), 2, "leaves the second");
    EQUAL(log_commit_index(log_of(2)), 1, "and says that the first is committed");
    cluster_fini(&cluster);
}

int main(void)
{
    TEST(test_one_vote_a_term);
    TEST(test_older_logs_lose);
    TEST(test_pre_votes_change_nothing);
    TEST(test_who_has_a_leader_keeps_it);
    TEST(test_leader_wishes_another);
    TEST(test_dead_leader_is_not_kept);
    TEST(test_older_terms_are_not_counted);
    TEST(test_candidate_is_fed);
    TEST(test_late_snapshot_keeps_entries);
    return tap_done();
}
