/* SPDX-License-Identifier: BSD-3-Clause */
/* Situations with a name, one after the other, in a small cluster in virtual time: who leads after
 * what, how soon, and who is not disturbed. */
#include "cluster.h"
#include "tap.h"

static struct cluster cluster;

static struct log *log_of(int member)
{
    return cluster.members[member].log;
}

/* Runs until somebody else than |not_this| leads; how long it took, or UINT64_MAX. */
static uint64_t next_leader_after(int not_this, uint64_t within_ns)
{
    uint64_t began_ns = cluster.now_ns;
    while (cluster.now_ns < began_ns + within_ns) {
        int leader = cluster_leader(&cluster);
        if (leader && leader != not_this && cluster_has_leader(&cluster))
            return cluster.now_ns - began_ns;
        cluster_run_for(&cluster, MS);
    }
    return UINT64_MAX;
}

static bool commits(int member)
{
    uint64_t index = cluster_propose(&cluster, member, 'c');
    cluster_run_for(&cluster, 1000 * MS);
    return index && log_of(member) && log_commit_index(log_of(member)) >= index;
}

static void end_story(void)
{
    OK(!cluster.wrong, "no rule was broken");
    if (cluster.wrong)
        printf("# %s\n", cluster.wrong);
    cluster_fini(&cluster);
}

/* ---- two hosts ---- */

static void test_two_tie_holder_survives(void)
{
    cluster_begin(&cluster, 1, 2, 2);
    cluster_kill(&cluster, 2);
    OK(commits(1), "of two the tie-holder goes on without the other");
    cluster_run_for(&cluster, 20000 * MS);
    OK(log_is_leader(log_of(1)), "for good");
    OK(log_quorum_at(log_of(1), cluster.now_ns) == cluster.now_ns, "it is a majority alone");
    end_story();
}

static void test_two_other_stops(void)
{
    cluster_begin(&cluster, 2, 2, 2);
    cluster_kill(&cluster, 1);
    cluster_tombstone(&cluster, 1);
    cluster_run_for(&cluster, 60000 * MS);
    OK(!log_is_leader(log_of(2)), "of two the other cannot lead alone");
    EQUAL(log_term(log_of(2)), 1, "nor does its term grow");
    end_story();
}

/* The other leads when the link breaks: it stops, then the tie-holder leads. */
static void test_two_leader_without_tie(void)
{
    cluster_begin(&cluster, 3, 2, 2);
    log_transfer(log_of(1), 2, cluster.now_ns);
    cluster_flush(&cluster, 1);
    cluster_run_for(&cluster, 2000 * MS);
    EQUAL(cluster_leader(&cluster), 2, "the other leads");
    cluster_split(&cluster, 2);
    uint64_t before = log_commit_index(log_of(2));
    cluster_propose(&cluster, 2, 'x');
    cluster_run_for(&cluster, ELECTION_NS + SPREAD_NS + 2 * BEAT_NS);
    OK(!log_is_leader(log_of(2)), "cut off it leads no more after a time-out");
    EQUAL(log_commit_index(log_of(2)), before, "and has committed nothing");
    cluster_run_for(&cluster, 2000 * MS);
    OK(log_is_leader(log_of(1)) && commits(1), "the tie-holder leads and commits");
    cluster_heal(&cluster);
    OK(cluster_run_until(&cluster, cluster_agrees, 20000 * MS), "together again they agree");
    EQUAL(cluster_leader(&cluster), 1, "under the one that went on");
    end_story();
}

/* ---- a leader dies ---- */

static void test_three_survive_any(void)
{
    for (int victim = 1; victim <= 3; victim++) {
        cluster_begin(&cluster, (uint64_t)victim + 10, 3, 3);
        cluster_kill(&cluster, victim);
        uint64_t took = next_leader_after(victim, 10000 * MS);
        OK(took < ELECTION_NS + 4 * SPREAD_NS, "three survive any one, within a time-out");
        OK(commits(cluster_leader(&cluster)), "and commit");
        end_story();
    }
}

static void test_tombstone_elects_at_once(void)
{
    for (uint64_t seed = 20; seed < 40; seed++) {
        cluster_begin(&cluster, seed, 5, 5);
        cluster_kill(&cluster, 1);
        cluster_tombstone(&cluster, 1);
        uint64_t took = next_leader_after(1, 10000 * MS);
        OK(took < 200 * MS, "a leader dead for certain is replaced at once");
        end_story();
    }
}

/* One voter alone hears of the death: the others believe the one who stands. */
static void test_tombstone_to_one(void)
{
    cluster_begin(&cluster, 41, 5, 5);
    cluster_kill(&cluster, 1);
    log_dead(log_of(4), 1, cluster.now_ns);
    cluster_flush(&cluster, 4);
    OK(next_leader_after(1, 10000 * MS) < 300 * MS, "one tombstone is enough");
    end_story();
}

/* ---- who is cut off disturbs nobody ---- */

static void test_voter_comes_back(void)
{
    cluster_begin(&cluster, 50, 3, 3);
    uint64_t term = log_term(log_of(1));
    cluster_split(&cluster, 8);
    cluster_run_for(&cluster, 120000 * MS);
    EQUAL(log_term(log_of(3)), term, "alone its term does not grow");
    OK(commits(1), "the others go on");
    cluster_heal(&cluster);
    OK(cluster_run_until(&cluster, cluster_agrees, 10000 * MS), "it comes back");
    EQUAL(cluster_leader(&cluster), 1, "and the leader is who it was");
    EQUAL(log_term(log_of(1)), term, "in the same term");
    end_story();
}

/* It hears the other voters, only not the leader. */
static void test_voter_without_link_to_leader(void)
{
    cluster_begin(&cluster, 51, 3, 3);
    cluster_cut(&cluster, 1, 3, true);
    cluster_run_for(&cluster, 60000 * MS);
    OK(log_is_leader(log_of(1)), "who has a leader does not vote for another");
    EQUAL(log_term(log_of(2)), 1, "and no term begins");
    end_story();
}

static void test_removed_voter_comes_back(void)
{
    cluster_begin(&cluster, 52, 4, 4);
    cluster.without_tree = true; /* nobody tells it */
    cluster_split(&cluster, 16);
    EQUAL(cluster_change(&cluster, 1, 2 + 4 + 8, 1), 0, "one that is cut off votes no more");
    cluster_run_for(&cluster, 30000 * MS);
    OK(log_voters_settled(log_of(1)), "the others agree on that");
    uint64_t term = log_term(log_of(1));
    cluster_heal(&cluster);
    cluster_run_for(&cluster, 60000 * MS);
    OK(log_is_voter(log_of(4), 4), "it comes back and does not know");
    OK(log_is_leader(log_of(1)) && log_term(log_of(1)) == term, "and disturbs nobody");
    end_story();
}

/* A voter that won pre-votes and then lost is in a term of its own: the leader goes on to it. */
static void test_voter_in_a_newer_term(void)
{
    struct message vote = {.type = DM_VOTE};
    cluster_begin(&cluster, 53, 3, 3);
    vote.dm_vote = (struct wire_dm_vote){.term = 9, .last_term = 9, .transfer = 1};
    log_receive(log_of(3), 2, &vote, cluster.now_ns);
    EQUAL(log_term(log_of(3)), 9, "a voter has a newer term");
    OK(cluster_run_until(&cluster, cluster_agrees, 20000 * MS), "all come together in a newer one");
    OK(log_term(log_of(1)) >= 9 && log_term(log_of(3)) == log_term(log_of(1)), "with that voter");
    OK(commits(cluster_leader(&cluster)), "and go on");
    end_story();
}

/* ---- a leader that is cut off ---- */

static void test_check_quorum(void)
{
    cluster_begin(&cluster, 60, 3, 3);
    cluster_run_for(&cluster, 5000 * MS);
    uint64_t cut_ns = cluster.now_ns;
    OK(cut_ns - log_quorum_at(log_of(1), cut_ns) < 3 * BEAT_NS, "a quorum answered lately");
    cluster_split(&cluster, 2);
    cluster_run_for(&cluster, ELECTION_NS - 3 * BEAT_NS);
    OK(log_quorum_at(log_of(1), cluster.now_ns) <= cut_ns, "none did after the cut");
    cluster_run(&cluster, cut_ns + ELECTION_NS);
    OK(!log_is_leader(log_of(1)), "without a quorum it leads no more");
    EQUAL(log_leader(log_of(1)), 0, "and knows nobody who does");
    EQUAL(log_propose(log_of(1), "x", 1), 0, "it takes no commands");
    OK(next_leader_after(1, 5000 * MS) != UINT64_MAX, "the others have another one");
    end_story();
}

/* What it took before is lost, what was committed is not. */
static void test_uncommitted_is_lost(void)
{
    cluster_begin(&cluster, 61, 3, 3);
    cluster_split(&cluster, 2);
    uint64_t lost = cluster_propose(&cluster, 1, 'x');
    cluster_run_for(&cluster, 10000 * MS);
    OK(lost && log_commit_index(log_of(1)) < lost, "cut off a leader commits nothing");
    int leader = cluster_leader(&cluster);
    OK(leader > 1 && commits(leader), "the others do");
    cluster_heal(&cluster);
    OK(cluster_run_until(&cluster, cluster_agrees, 20000 * MS), "its log becomes theirs");
    end_story();
}

/* ---- giving the place away ---- */

static void test_transfer(void)
{
    cluster_begin(&cluster, 70, 3, 3);
    EQUAL(log_transfer(log_of(1), 9, cluster.now_ns), -1, "not to one who does not vote");
    EQUAL(log_transfer(log_of(2), 3, cluster.now_ns), -1, "nor from one who does not lead");
    EQUAL(log_transfer(log_of(1), 3, cluster.now_ns), 0, "a leader gives its place away");
    EQUAL(log_propose(log_of(1), "x", 1), 0, "from then on it takes no commands");
    cluster_flush(&cluster, 1);
    OK(next_leader_after(1, 1000 * MS) < 100 * MS, "that takes some round trips");
    EQUAL(cluster_leader(&cluster), 3, "the one it wished leads");
    OK(commits(3), "and commits");
    EQUAL(log_transfer(log_of(3), 0, cluster.now_ns), 0, "to whoever knows most");
    cluster_flush(&cluster, 3);
    OK(next_leader_after(3, 1000 * MS) < 100 * MS, "somebody else leads");
    end_story();
}

static void test_transfer_to_the_dead(void)
{
    cluster_begin(&cluster, 71, 3, 3);
    cluster_kill(&cluster, 3);
    cluster_propose(&cluster, 1, 'a');
    log_transfer(log_of(1), 3, cluster.now_ns);
    cluster_run_for(&cluster, 1000 * MS);
    EQUAL(log_propose(log_of(1), "x", 1), 0, "while it waits it takes no commands");
    cluster_run_for(&cluster, ELECTION_NS);
    OK(log_is_leader(log_of(1)) && commits(1), "then it goes on itself");
    end_story();
}

static void test_transfer_alone(void)
{
    cluster_begin(&cluster, 72, 2, 1);
    EQUAL(log_transfer(log_of(1), 0, cluster.now_ns), -1, "a single voter has nobody");
    end_story();
}

static void test_leader_removed(void)
{
    cluster_begin(&cluster, 73, 3, 3);
    EQUAL(cluster_change(&cluster, 1, 4 + 8, 2), 0, "the leader lets two others vote alone");
    OK(next_leader_after(1, 5000 * MS) < 1000 * MS, "one of them leads without a time-out");
    cluster_run_for(&cluster, 3000 * MS);
    OK(cluster_agrees(&cluster), "all agree");
    EQUAL(log_role(log_of(1)), LOG_LEARNER, "the old one learns");
    OK(!log_is_voter(log_of(1), 1), "and votes no more");
    end_story();
}

/* ---- changes ---- */

static void test_changes_refused(void)
{
    uint64_t ids[] = {1, 2, 3};
    cluster_begin(&cluster, 80, 4, 3);
    EQUAL(log_change_voters(log_of(2), ids, 3, 1), -1, "who does not lead changes nothing");
    EQUAL(log_change_voters(log_of(1), ids, 3, 4), -1, "the tie-holder votes");
    EQUAL(log_change_voters(log_of(1), ids, 0, 0), -1, "somebody has to");
    EQUAL(log_change_voters(log_of(1), ids, 3, 1), 0, "what is so already");
    OK(log_voters_settled(log_of(1)), "changes nothing");
    EQUAL(log_change_voters(log_of(1), ids, 3, 2), 0, "the tie may move");
    OK(!log_voters_settled(log_of(1)), "that is under way");
    EQUAL(log_change_voters(log_of(1), ids, 3, 3), -1, "one change at a time");
    cluster_flush(&cluster, 1);
    cluster_run_for(&cluster, 2000 * MS);
    EQUAL(log_voters(log_of(4))->tie, 2, "then all know it, learners too");
    end_story();
}

/* More than seven hosts: one of the seven dies, and one that has caught up takes its place. */
static void test_voter_replaced(void)
{
    cluster_begin(&cluster, 81, 9, 7);
    EQUAL(log_role(log_of(8)), LOG_LEARNER, "the eighth learns");
    cluster_kill(&cluster, 3);
    cluster_tombstone(&cluster, 3);
    log_follower_remove(log_of(1), 3);
    OK(commits(1), "six of seven go on");
    EQUAL(log_follower_ask(log_of(1), 8), 0, "the eighth is asked where it stands");
    cluster_flush(&cluster, 1);
    cluster_run_for(&cluster, 1000 * MS);
    OK(log_is_caught_up(log_of(1), 8), "it has everything");
    EQUAL(cluster_change(&cluster, 1, (UINT32_C(254) & ~UINT32_C(8)) | 256, 1), 0,
          "it takes the place");
    OK(cluster_run_until(&cluster, cluster_agrees, 5000 * MS), "all agree on that");
    EQUAL(log_role(log_of(8)), LOG_FOLLOWER, "it votes");
    cluster_kill(&cluster, 1);
    OK(next_leader_after(1, 10000 * MS) != UINT64_MAX, "and counts when the leader dies");
    end_story();
}

/* ---- who is behind ---- */

static void test_snapshot_to_lagging_voter(void)
{
    cluster_begin(&cluster, 90, 3, 3);
    cluster_split(&cluster, 8);
    for (int i = 0; i < 100; i++)
        cluster_propose(&cluster, 1, 'a');
    cluster_run_for(&cluster, 3000 * MS);
    cluster_compact(&cluster, 1);
    cluster_compact(&cluster, 2);
    cluster_heal(&cluster);
    OK(cluster_run_until(&cluster, cluster_agrees, 10000 * MS), "a snapshot brings it up");
    OK(log_of(3)->snapshot.index > 50, "it was one");
    cluster_kill(&cluster, 1);
    OK(next_leader_after(1, 10000 * MS) != UINT64_MAX, "it knows who votes, and votes");
    end_story();
}

/* One voter and a tree below it, three deep: 2..9 are fed by 1, 10..17 by 2, the others by 3. */
static void test_tree(void)
{
    cluster_begin(&cluster, 91, 20, 1);
    uint64_t index = cluster_propose(&cluster, 1, 'a');
    cluster_cut(&cluster, 2, 12, true);
    cluster_propose(&cluster, 1, 'b');
    cluster_run_for(&cluster, 2000 * MS);
    OK(log_applied_by_all(log_of(1), index - 1), "what all have applied is known at the top");
    OK(log_applied_index(log_of(19)) == index + 1, "a learner far below has everything");
    OK(!log_applied_by_all(log_of(1), index + 1), "one that is cut off below is missed at the top");
    cluster_cut(&cluster, 2, 12, false);
    cluster_run_for(&cluster, 2000 * MS);
    OK(log_applied_by_all(log_of(1), index + 1), "until it has it");
    OK(log_of(1)->followers.count < 12, "the top gives to few");
    end_story();
}

static void test_feeder_dies(void)
{
    cluster_begin(&cluster, 92, 20, 1);
    cluster_kill(&cluster, 2);
    log_follower_remove(log_of(1), 2);
    uint64_t index = cluster_propose(&cluster, 1, 'a');
    cluster_run_for(&cluster, 3000 * MS);
    OK(log_applied_index(log_of(12)) == index, "those below a dead one are fed by another");
    OK(log_applied_by_all(log_of(1), index), "and known to have it");
    OK(cluster_agrees(&cluster), "all agree");
    end_story();
}

/* A quiet log says nothing: what goes about are the beats of the detector. */
static void test_quiet(void)
{
    cluster_begin(&cluster, 93, 12, 5);
    cluster_run_for(&cluster, 5000 * MS);
    uint64_t before = cluster.messages;
    cluster_run_for(&cluster, 60000 * MS);
    EQUAL(cluster.messages, before, "a quiet log sends nothing");
    end_story();
}

int main(void)
{
    TEST(test_two_tie_holder_survives);
    TEST(test_two_other_stops);
    TEST(test_two_leader_without_tie);
    TEST(test_three_survive_any);
    TEST(test_tombstone_elects_at_once);
    TEST(test_tombstone_to_one);
    TEST(test_voter_comes_back);
    TEST(test_voter_without_link_to_leader);
    TEST(test_removed_voter_comes_back);
    TEST(test_voter_in_a_newer_term);
    TEST(test_check_quorum);
    TEST(test_uncommitted_is_lost);
    TEST(test_transfer);
    TEST(test_transfer_to_the_dead);
    TEST(test_transfer_alone);
    TEST(test_leader_removed);
    TEST(test_changes_refused);
    TEST(test_voter_replaced);
    TEST(test_snapshot_to_lagging_voter);
    TEST(test_tree);
    TEST(test_feeder_dies);
    TEST(test_quiet);
    return tap_done();
}
