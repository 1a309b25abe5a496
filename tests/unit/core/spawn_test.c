/* SPDX-License-Identifier: BSD-3-Clause */
/* Spawning: placement, environment, errors, lost hosts. */
#include "fake.h"

#include "core/notify.h"
#include "core/place.h"
#include "core/state.h"
#include "tap.h"

static int on_host(const struct message *answer, uint32_t number)
{
    int count = 0;
    for (size_t i = 0; i < answer->tm_spawned.tids.count; i++)
        count += answer->tm_spawned.tids.items[i] > 0 &&
                 tid_host_number((uint32_t)answer->tm_spawned.tids.items[i]) == number;
    return count;
}

static void test_round_robin(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *task = fake_machine(fake, 3);
    struct message answer = fake_spawn(fake, task, 0, "", 5);
    EQUAL(answer.tm_spawned.tids.count, 5, "five tasks");
    EQUAL(on_host(&answer, 2), 2, "two on the host behind the local one");
    EQUAL(on_host(&answer, 3), 2, "two on the next");
    EQUAL(on_host(&answer, 1), 1, "one here");
    EQUAL(tid_host_number((uint32_t)answer.tm_spawned.tids.items[0]), 2,
          "in blocks, in that order");
    EQUAL(node_wait_count(fake->nodes[0].node), 0, "nothing waits any more");
    fake_destroy(fake);
}

static void test_what_a_child_gets(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *task = fake_machine(fake, 1);
    fake_spawn(fake, task, SPAWN_HOST | SPAWN_DEBUG, ".:/some/where", 1);
    struct fake_child *child = fake_child_of(fake, 0);
    SAME_TEXT(child->file, "worker", "the file");
    SAME_TEXT(child->argv, "one two", "the arguments");
    SAME_TEXT(child->directory, "/some/where", "the directory behind the colon");
    OK(child->debug, "the debugger");
    OK(strstr(child->environment, "COLOUR=blue PVM_EXPORT=COLOUR"), "what is exported");
    OK(strstr(child->environment, "PVMCTX=0x0"), "the context");
    OK(strstr(child->environment, "PVMTMASK=@@@"), "a trace mask");
    OK(strstr(child->environment, "PVMTRCBUF=0 PVMTRCOPT=0"), "trace buffer and options");
    OK(strstr(child->environment, "PVMSPAWNWD=/some/where"), "its directory again");
    OK(child->cookie != 0, "a cookie");
    fake_destroy(fake);
}

static void test_refusals(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *task = fake_machine(fake, 2);
    EQUAL(fake_spawn(fake, task, 0, "", 0).tm_spawned.status, STATUS_BAD_PARAM, "no task at all");
    struct message answer = fake_spawn(fake, task, SPAWN_HOST, "nowhere", 2);
    EQUAL(answer.tm_spawned.tids.count, 2, "a host that is not there");
    EQUAL(answer.tm_spawned.tids.items[1], STATUS_NO_HOST, "is PvmNoHost for each");
    fake->start_status = STATUS_NO_FILE;
    answer = fake_spawn(fake, task, 0, "", 2);
    EQUAL(answer.tm_spawned.tids.items[0], STATUS_NO_FILE, "a file that is not there, elsewhere");
    EQUAL(answer.tm_spawned.tids.items[1], STATUS_NO_FILE, "and here");
    EQUAL(node_task_count(fake->nodes[0].node), 1, "no task is left of it");
    EQUAL(node_task_count(fake->nodes[1].node), 0, "anywhere");
    fake_destroy(fake);
}

static void test_started_come_first(void)
{
    struct fake *fake = fake_create_unstarted();
    fake->tasks_max = 2;
    fake_start(fake);
    struct fake_task *task = fake_task(fake, 0, 0, 0);
    struct message answer = fake_spawn(fake, task, 0, "", 3);
    OK(answer.tm_spawned.tids.items[0] > 0, "the one that started comes first");
    EQUAL(answer.tm_spawned.tids.items[1], STATUS_OUT_OF_RES, "then the errors");
    EQUAL(answer.tm_spawned.tids.items[2], STATUS_OUT_OF_RES, "all of them");
    fake_destroy(fake);
}

static void ask_spawn(struct fake *fake, struct fake_task *task, uint32_t flags, const char *where,
                      uint32_t count)
{
    struct message request = {.type = TM_SPAWN};
    request.tm_spawn = (struct wire_tm_spawn){
        .wait = ++task->last_wait, .file = "w", .flags = flags, .where = where, .count = count};
    fake_ask(fake, task, &request);
    fake_run(fake);
}

/* A share of a host that dies is dealt again when any host would do (API-29). */
static void test_lost_share(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *task = fake_machine(fake, 3);
    fake->nodes[1].is_cut = true;
    ask_spawn(fake, task, 0, "", 3);
    EQUAL(fake_answer(fake, task).type, MESSAGE_NONE, "a host is silent: no answer yet");
    fake_crash(fake, 1);
    struct message answer = fake_answer(fake, task);
    EQUAL(answer.type, TM_SPAWNED, "it is declared dead: the answer comes");
    EQUAL(on_host(&answer, 1) + on_host(&answer, 3), 3, "its share runs on the others");
    EQUAL(node_wait_count(fake->nodes[0].node), 0, "nothing waits any more");
    fake_destroy(fake);
}

/* What is dealt again may fail at once, in the middle of what ends the rest. */
static void test_lost_share_that_fails_here(void)
{
    struct fake *fake = fake_create_unstarted();
    fake->tasks_max = 1;
    fake_start(fake);
    struct fake_task *task = fake_machine(fake, 5);
    fake_task(fake, 3, 0, 0);
    fake_task(fake, 4, 0, 0);
    fake->nodes[1].is_cut = true;
    fake->nodes[2].is_cut = true;
    ask_spawn(fake, task, 0, "", 2);
    fake_crash(fake, 1);
    EQUAL(fake_answer(fake, task).type, MESSAGE_NONE, "one host dies, the other is still silent");
    fake_crash(fake, 2);
    struct message answer = fake_answer(fake, task);
    EQUAL(answer.tm_spawned.tids.items[0], STATUS_OUT_OF_RES,
          "no host has room: that is the answer");
    EQUAL(answer.tm_spawned.tids.items[1], STATUS_OUT_OF_RES, "for both");
    EQUAL(node_wait_count(fake->nodes[0].node), 0, "once");
    fake_destroy(fake);
}

static void test_lost_host_by_name(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *task = fake_machine(fake, 3);
    fake->nodes[1].is_cut = true;
    ask_spawn(fake, task, SPAWN_HOST, "alpha-1", 2);
    fake_crash(fake, 1);
    struct message answer = fake_answer(fake, task);
    EQUAL(answer.tm_spawned.tids.items[0], STATUS_HOST_FAIL, "who named the host is told");
    fake_destroy(fake);
}

static void test_silence_ends(void)
{
    struct fake *fake = fake_create_unstarted();
    fake->request_timeout_ns = 5 * UINT64_C(1000000000);
    fake->dead_after_ns = 60 * UINT64_C(1000000000);
    fake_start(fake);
    struct fake_task *task = fake_machine(fake, 2);
    fake->nodes[1].is_cut = true;
    ask_spawn(fake, task, 0, "", 2);
    fake_advance(fake, 6 * UINT64_C(1000000000));
    struct message answer = fake_answer(fake, task);
    EQUAL(answer.type, TM_SPAWNED, "a host that says nothing is not waited for for ever");
    EQUAL(answer.tm_spawned.tids.items[1], STATUS_HOST_FAIL, "its task counts as lost");
    fake_destroy(fake);
}

static void test_spawner_dies(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *task = fake_machine(fake, 2);
    fake->holds_starts = true;
    ask_spawn(fake, task, 0, "", 2);
    fake_close(fake, task);
    for (int i = 0; i < fake->child_count; i++) {
        struct event started = {.kind = EVENT_CHILD_STARTED, .ticket = fake->children[i].ticket,
                                .pid = fake->children[i].pid};
        fake_event(fake, fake->children[i].node, &started);
    }
    fake_run(fake);
    EQUAL(node_wait_count(fake->nodes[0].node) + node_wait_count(fake->nodes[1].node), 0,
          "nobody waits for a spawn whose spawner died");
    EQUAL(node_task_count(fake->nodes[1].node), 1, "what was started runs");
    fake_destroy(fake);
}

/* |rounds| of 100 children on a host; their spawner writes to each, then they end. How many. */
static int write_to_children_that_end(struct fake *fake, struct fake_task *task, const char *where,
                                      int rounds)
{
    int ended = 0;
    for (int round = 0; round < rounds; round++) {
        fake->child_count = 0;
        struct message answer = fake_spawn(fake, task, SPAWN_HOST, where, 100);
        for (size_t i = 0; i < answer.tm_spawned.tids.count; i++) {
            const uint32_t tid = (uint32_t)answer.tm_spawned.tids.items[i];
            fake_send(fake, task, tid, 1, FRAME_FIRST | FRAME_LAST, "sister");
            fake_notify(fake, task, NOTIFY_TASK_EXIT, 5, -1, &tid, 1);
        }
        fake_run(fake);
        for (int i = 0; i < fake->child_count; i++)
            fake_exit(fake, &fake->children[i]);
        ended += fake->child_count;
        for (struct frame frame = fake_take(task); frame.kind; frame = fake_take(task))
            frame_drop(&frame);
    }
    return ended;
}

/* A spawner that lives long: what its daemon keeps of its children must not grow with them. */
static void test_the_ended_are_forgotten(void)
{
    enum { ROUNDS = 13, ROUND = 100 };
    struct fake *fake = fake_create("");
    struct fake_task *task = fake_machine(fake, 2);
    const struct node *node = fake->nodes[0].node;
    const struct sender *sender = task_find(&node->tasks, task->tid)->sender;
    EQUAL(write_to_children_that_end(fake, task, ".", ROUNDS), ROUNDS * ROUND, "many end");
    OK(sender->last.count < 2 * ROUND + ROUNDS * ROUND - 1024, "those of its own host, in time");
    const size_t before = sender->last.count;
    const char *other = host_by_number(&node->hosts, 2)->info.name;
    EQUAL(write_to_children_that_end(fake, task, other, 2), 2 * ROUND, "and others");
    EQUAL(sender->last.count, before, "those elsewhere, as their ends are told");
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_round_robin);
    TEST(test_what_a_child_gets);
    TEST(test_refusals);
    TEST(test_started_come_first);
    TEST(test_lost_share);
    TEST(test_lost_share_that_fails_here);
    TEST(test_lost_host_by_name);
    TEST(test_silence_ends);
    TEST(test_spawner_dies);
    TEST(test_the_ended_are_forgotten);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
