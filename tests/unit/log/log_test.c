/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One leader and those it gives entries to: order, repair, snapshots, strangers, memory. Elections
 * are in election_test.c and cluster_test.c.
 */
#include "log/log.h"

#include "base/mem.h"
#include "base/str.h"
#include "tap.h"

enum { MEMBERS_MAX = 4, FIRST = 2 /* the no-op and who votes */ };

struct member {
    struct log *log;
    char applied[4096]; /* commands, one letter each; the log's own are left out */
    bool hears;         /* what is sent to it arrives */
};

static struct member members[MEMBERS_MAX];
static struct arena arena;
static uint64_t now_ns;

static void member_create(int id)
{
    struct log_config config = {.self = (uint64_t)id, .resend_ns = 1000};
    members[id] = (struct member){.log = log_create(&config), .hears = true};
}

static void apply_all(struct member *member)
{
    struct log_entry entry;
    while (log_next_committed(member->log, &entry)) {
        size_t at = entry.is_snapshot ? 0 : strlen(member->applied);
        if (entry.length == 1 || entry.is_snapshot) {
            memcpy(member->applied + at, entry.command, entry.length);
            member->applied[at + entry.length] = '\0';
        }
        log_applied(member->log);
    }
}

/* Carries messages, through their encoding, until nothing is said any more. */
static void carry(void)
{
    for (bool busy = true; busy;) {
        busy = false;
        for (int id = 1; id < MEMBERS_MAX; id++) {
            struct message message;
            struct message heard;
            struct wr wr;
            uint64_t to;
            if (!members[id].log)
                continue;
            apply_all(&members[id]);
            if (!log_pull(members[id].log, now_ns, &arena, &to, &message))
                continue;
            busy = true;
            wr_init(&wr);
            message_encode(&wr, &message);
            message_decode(wr.bytes, wr.length, &arena, &heard);
            if (members[to].log && members[to].hears && members[id].hears)
                log_receive(members[to].log, (uint64_t)id, &heard, now_ns);
            wr_fini(&wr);
        }
    }
}

static void begin(int count)
{
    now_ns = 1;
    arena_init(&arena);
    memset(members, 0, sizeof(members));
    for (int id = 1; id <= count; id++)
        member_create(id);
    log_found(members[1].log, now_ns);
}

static void end(void)
{
    for (int id = 1; id < MEMBERS_MAX; id++)
        log_destroy(members[id].log);
    arena_fini(&arena);
}

static void test_founder_alone(void)
{
    struct log_entry entry;
    struct message noop;
    begin(1);
    OK(log_is_leader(members[1].log), "the founder leads");
    EQUAL(log_term(members[1].log), 1, "term 1");
    EQUAL(log_voters(members[1].log)->tie, 1, "and holds the tie");
    OK(log_next_committed(members[1].log, &entry), "its first entry is committed at once");
    OK(message_decode(entry.command, entry.length, &arena, &noop) == 0 && noop.type == CMD_NOOP &&
           noop.cmd_noop.leader == 1 && noop.cmd_noop.term == 1,
       "it is the no-op and names the leader");
    log_applied(members[1].log);
    OK(log_next_committed(members[1].log, &entry) && !entry.command, "who votes is not to apply");
    EQUAL(log_propose(members[1].log, "a", 1), FIRST + 1, "a command comes behind them");
    EQUAL(log_propose(members[1].log, "b", 1), FIRST + 2, "the next one behind that");
    carry();
    SAME_TEXT(members[1].applied, "ab", "alone, the leader commits at once, in order");
    EQUAL(log_deadline(members[1].log), UINT64_MAX, "and has nothing to do");
    EQUAL(log_quorum_at(members[1].log, 77), 77, "it is its own quorum");
    end();
}

static void test_follower_learns_all(void)
{
    begin(2);
    log_propose(members[1].log, "a", 1);
    carry();
    EQUAL(log_follower_add(members[1].log, 2), 0, "a follower comes");
    carry();
    SAME_TEXT(members[2].applied, "a", "it gets what was before it");
    EQUAL(log_leader(members[2].log), 1, "and knows who leads");
    OK(log_applied_by_all(members[1].log, FIRST + 1), "the leader knows that it has applied it");
    OK(log_is_caught_up(members[1].log, 2), "and that it could vote");
    log_propose(members[1].log, "b", 1);
    OK(!log_applied_by_all(members[1].log, FIRST + 2), "a new entry is not there yet");
    carry();
    SAME_TEXT(members[2].applied, "ab", "then it is");
    EQUAL(log_propose(members[2].log, "x", 1), 0, "a follower cannot propose");
    EQUAL(log_role(members[2].log), LOG_LEARNER, "and is a learner");
    end();
}

static void test_snapshot_for_new_one(void)
{
    begin(2);
    log_propose(members[1].log, "a", 1);
    log_propose(members[1].log, "b", 1);
    carry();
    EQUAL(log_compact(members[1].log, "AB", 2), 0, "the leader compacts");
    log_propose(members[1].log, "c", 1);
    log_follower_add(members[1].log, 2);
    carry();
    SAME_TEXT(members[2].applied, "ABc", "a new one gets the snapshot and what came after");
    EQUAL(log_applied_index(members[2].log), FIRST + 3, "and stands at the same index");
    OK(log_is_voter(members[2].log, 1), "the snapshot says who votes");
    end();
}

static void test_lost_messages_are_sent_again(void)
{
    begin(2);
    log_follower_add(members[1].log, 2);
    members[2].hears = false;
    for (int i = 0; i < 5; i++)
        log_propose(members[1].log, &"abcde"[i], 1);
    carry();
    SAME_TEXT(members[2].applied, "", "nothing arrives");
    members[2].hears = true;
    carry();
    SAME_TEXT(members[2].applied, "", "nor is it sent again at once");
    EQUAL(log_deadline(members[1].log), 1001, "but when its time has come");
    now_ns = 1001;
    carry();
    SAME_TEXT(members[2].applied, "abcde", "then all of it is there");
    end();
}

static void test_new_link_sends_again_at_once(void)
{
    begin(2);
    log_follower_add(members[1].log, 2);
    carry();
    members[2].hears = false;
    log_propose(members[1].log, "a", 1);
    carry();
    members[2].hears = true;
    log_follower_retry(members[1].log, 2);
    carry();
    SAME_TEXT(members[2].applied, "a", "what was under way when the link broke comes again");
    end();
}

static void test_follower_that_lags_gets_snapshot(void)
{
    begin(2);
    log_follower_add(members[1].log, 2);
    log_propose(members[1].log, "a", 1);
    carry();
    members[2].hears = false;
    for (int i = 0; i < 100; i++)
        log_propose(members[1].log, "b", 1);
    carry();
    log_compact(members[1].log, "AB", 2);
    log_propose(members[1].log, "c", 1);
    carry();
    members[2].hears = true;
    OK(!log_is_caught_up(members[1].log, 2), "who lags may not vote");
    log_follower_retry(members[1].log, 2);
    carry();
    SAME_TEXT(members[2].applied, "ABc", "what is kept no more comes as a snapshot");
    end();
}

/* Bodies of mailboxes are long: a message must not outgrow the channel, nor the log the memory. */
static void test_long_entries(void)
{
    enum { MEGABYTE = 1024 * 1024 };
    uint8_t *command = mem_calloc(1, MEGABYTE);
    begin(2);
    log_follower_add(members[1].log, 2);
    carry();
    members[2].hears = false;
    for (int i = 0; i < 15; i++)
        log_propose(members[1].log, command, MEGABYTE);
    apply_all(&members[1]);
    OK(!log_wants_compaction(members[1].log), "15 MiB may be kept");
    log_propose(members[1].log, command, MEGABYTE);
    apply_all(&members[1]);
    OK(log_wants_compaction(members[1].log), "more are too much, however few entries they are");
    struct message message;
    uint64_t to;
    log_follower_retry(members[1].log, 2);
    OK(log_pull(members[1].log, now_ns, &arena, &to, &message), "the follower is told");
    EQUAL(message.dm_append.entries.count, 4, "4 MiB at a time");
    members[2].hears = true;
    log_follower_retry(members[1].log, 2);
    carry();
    EQUAL(log_applied_index(members[2].log), log_last_index(members[1].log), "until it has all");
    EQUAL(log_compact(members[1].log, "S", 1), 0, "a snapshot");
    OK(!log_wants_compaction(members[1].log), "makes room");
    end();
    mem_free(command);
}

static void test_little_late_gets_entries(void)
{
    begin(2);
    log_follower_add(members[1].log, 2);
    log_propose(members[1].log, "a", 1);
    carry();
    members[2].hears = false;
    log_propose(members[1].log, "b", 1);
    carry();
    log_compact(members[1].log, "AB", 2);
    members[2].hears = true;
    log_follower_retry(members[1].log, 2);
    carry();
    SAME_TEXT(members[2].applied, "ab", "who is a little late gets no snapshot");
    end();
}

static void test_strangers_and_old_terms(void)
{
    begin(3);
    struct message append = {.type = DM_APPEND, .dm_append = {.term = 3, .leader = 1, .commit = 9}};
    struct message old = {.type = DM_APPEND, .dm_append = {.term = 2, .leader = 1}};
    EQUAL(log_receive(members[2].log, 3, &append, 1), -1, "only the leader appends");
    EQUAL(log_receive(members[2].log, 1, &append, 1), 0, "whom one takes from what it sends");
    EQUAL(log_receive(members[2].log, 1, &old, 1), -1, "an old term says nothing");
    append.dm_append.term = 1;
    append.dm_append.leader = 3;
    EQUAL(log_receive(members[1].log, 3, &append, 1), -1, "nobody else leads this term");
    struct message answer = {.type = DM_APPENDED, .dm_appended = {.term = 1, .index = 7}};
    EQUAL(log_receive(members[1].log, 2, &answer, 1), -1, "an answer of one who does not follow");
    struct message halt = {.type = DM_HALT};
    EQUAL(log_receive(members[1].log, 2, &halt, 1), -1, "or something else altogether");
    EQUAL(log_receive(members[1].log, 1, &append, 1), -1, "or what it would say itself");
    end();
}

static void test_gap_is_refused(void)
{
    begin(2);
    struct wire_entry entry = {.index = 6, .term = 3, .command = {(const uint8_t *)"f", 1}};
    struct message append = {.type = DM_APPEND};
    append.dm_append = (struct wire_dm_append){.term = 3,
                                               .leader = 1,
                                               .previous_index = 5,
                                               .previous_term = 3,
                                               .commit = 6,
                                               .entries = {1, &entry}};
    struct message answer;
    uint64_t to;
    EQUAL(log_receive(members[2].log, 1, &append, 1), 0, "an append behind a gap is heard");
    OK(log_pull(members[2].log, 1, &arena, &to, &answer), "and answered");
    EQUAL(answer.dm_appended.matched, 0, "it does not match");
    EQUAL(answer.dm_appended.index, 0, "and says where to go back to");
    EQUAL(log_last_index(members[2].log), 0, "nothing was taken");
    end();
}

/* An entry of an older term that was never committed gives way (figure 3.7 of the dissertation),
 * whether the leader or a feeder says so. */
static void test_conflict_gives_way(void)
{
    for (uint8_t fed = 0; fed <= 1; fed++) {
        begin(2);
        struct wire_entry old = {.index = 1, .term = 3, .command = {(const uint8_t *)"x", 1}};
        struct wire_entry new = {.index = 1, .term = 4, .command = {(const uint8_t *)"y", 1}};
        struct message append = {.type = DM_APPEND};
        append.dm_append = (struct wire_dm_append){.term = 3, .leader = 1, .entries = {1, &old}};
        log_receive(members[2].log, 1, &append, 1);
        EQUAL(log_last_index(members[2].log), 1, "an entry, not committed");
        append.dm_append = (struct wire_dm_append){
            .term = 4, .leader = 3, .fed = fed, .commit = 1, .entries = {1, &new}};
        log_receive(members[2].log, 3, &append, 1);
        apply_all(&members[2]);
        SAME_TEXT(members[2].applied, "y", "the entry of the newer term took its place");
        EQUAL(log_term(members[2].log), 4, "and the term was taken over");
        end();
    }
}

static void test_many_entries(void)
{
    begin(2);
    for (int i = 0; i < LOG_ENTRIES_MAX + 50; i++)
        log_propose(members[1].log, "z", 1);
    carry();
    OK(log_wants_compaction(members[1].log), "too many entries want a snapshot");
    log_follower_add(members[1].log, 2);
    carry();
    EQUAL(strlen(members[2].applied), LOG_ENTRIES_MAX + 50, "they go out in several appends");
    log_compact(members[1].log, "Z", 1);
    OK(!log_wants_compaction(members[1].log), "after it, no more");
    end();
}

static void test_removed_hears_nothing(void)
{
    begin(2);
    log_follower_add(members[1].log, 2);
    carry();
    log_propose(members[1].log, "s", 1);
    log_follower_remove(members[1].log, 2);
    carry();
    SAME_TEXT(members[2].applied, "", "who is removed is not told what comes then");
    OK(log_applied_by_all(members[1].log, FIRST + 1), "nor waited for");
    end();
}

/* Learners get what the giver has applied, so a command that removes one is not given to it. */
static void test_learner_gets_what_is_applied(void)
{
    struct message message;
    uint64_t to;
    begin(2);
    log_follower_add(members[1].log, 2);
    carry();
    log_propose(members[1].log, "s", 1);
    OK(!log_pull(members[1].log, now_ns, &arena, &to, &message), "not yet applied, not yet given");
    apply_all(&members[1]);
    OK(log_pull(members[1].log, now_ns, &arena, &to, &message), "then it is");
    end();
}

static void test_without_memory(void)
{
    for (uint64_t nth = 1; nth < 12; nth++) {
        begin(2);
        log_follower_add(members[1].log, 2);
        mem_fail_at(nth, 0);
        uint64_t index = log_propose(members[1].log, "a", 1);
        if (index == 0)
            log_propose(members[1].log, "a", 1);
        carry();
        mem_fail_at(0, 0);
        for (int i = 0; i < 4; i++) {
            now_ns += 5000;
            carry();
        }
        OK(members[2].applied[0] == 'a' && !members[2].applied[1],
           "an allocation that fails only delays");
        end();
    }
}

static void test_found_without_memory(void)
{
    struct log_config config = {.self = 1};
    int failed = 1;
    for (uint64_t nth = 1; failed; nth++) {
        mem_fail_at(nth, 0);
        struct log *log = log_create(&config);
        failed = !log || log_found(log, 1) < 0;
        mem_fail_at(0, 0);
        log_destroy(log);
        OK(nth < 50, "to begin without memory fails, and leaves nothing");
    }
}

int main(void)
{
    TEST(test_founder_alone);
    TEST(test_follower_learns_all);
    TEST(test_snapshot_for_new_one);
    TEST(test_lost_messages_are_sent_again);
    TEST(test_new_link_sends_again_at_once);
    TEST(test_follower_that_lags_gets_snapshot);
    TEST(test_long_entries);
    TEST(test_little_late_gets_entries);
    TEST(test_strangers_and_old_terms);
    TEST(test_gap_is_refused);
    TEST(test_conflict_gives_way);
    TEST(test_many_entries);
    TEST(test_removed_hears_nothing);
    TEST(test_learner_gets_what_is_applied);
    TEST(test_without_memory);
    TEST(test_found_without_memory);
    return tap_done();
}
