/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions about hosts and tasks. */
#include "fake.h"

#include "base/str.h"
#include "core/task.h"
#include "tap.h"

static int32_t done(struct fake *fake, struct fake_task *task, struct message request)
{
    struct message answer = fake_request(fake, task, &request);
    return answer.type == TM_DONE ? answer.tm_done.status : -99;
}

static struct message tasks(struct fake *fake, struct fake_task *task, uint32_t where)
{
    struct message request = {.type = TM_TASKS, .tm_tasks = {.where = where}};
    return fake_request(fake, task, &request);
}

static void test_config(void)
{
    struct fake *fake = fake_create("* sp=7\n");
    struct fake_task *a = fake_machine(fake, 3);
    struct message request = {.type = TM_CONFIG};
    struct message answer = fake_request(fake, a, &request);
    EQUAL(answer.tm_hosts.hosts.count, 3, "three hosts");
    SAME_TEXT(answer.tm_hosts.hosts.items[0].name, "alpha", "in the order of numbers");
    EQUAL(answer.tm_hosts.hosts.items[0].speed, 7, "with the speed of the hostfile");
    SAME_TEXT(answer.tm_hosts.hosts.items[2].arch, "LINUX", "and what each said of itself");
    fake_destroy(fake);
}

static void test_tasks(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 3);
    struct fake_task *b = fake_task(fake, 2, 0, 0);
    fake_spawn(fake, a, 1, "alpha-1", 1);
    struct message answer = tasks(fake, a, 0);
    EQUAL(answer.tm_tasklist.tasks.count, 3, "all tasks");
    const struct wire_task *list = answer.tm_tasklist.tasks.items;
    OK(list[0].tid == a->tid && list[1].tid == 0x80001 && list[2].tid == b->tid, "host by host");
    EQUAL(list[0].flags, TASK_FLAG_CONNECTED, "one from a shell");
    EQUAL(list[1].flags, TASK_FLAG_FORKED, "one spawned and not enrolled");
    SAME_TEXT(list[1].name, "worker", "by the name it was spawned with");
    EQUAL(list[1].parent, (int32_t)a->tid, "and its parent");
    EQUAL(list[1].host_tid, 0x80000, "and its host");
    EQUAL(tasks(fake, a, TID_DAEMON | 3u << 18).tm_tasklist.tasks.count, 1, "those of a host");
    EQUAL(tasks(fake, a, b->tid).tm_tasklist.tasks.count, 1, "one task");
    EQUAL(tasks(fake, a, 0x80077).tm_tasklist.tasks.count, 0, "an unknown task is an empty list");
    EQUAL(tasks(fake, a, 0x900001).tm_tasklist.status, STATUS_NO_HOST, "an unknown host an error");
    fake_destroy(fake);
}

static void test_tasks_of_a_dying_host(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 3);
    fake_task(fake, 2, 0, 0);
    fake->nodes[1].is_cut = true;
    EQUAL(tasks(fake, a, 0).type, MESSAGE_NONE, "one host does not answer");
    fake_crash(fake, 1);
    struct message answer = fake_answer(fake, a);
    EQUAL(answer.tm_tasklist.tasks.count, 2, "its tasks are left out");
    EQUAL(answer.tm_tasklist.status, 0, "without an error");
    fake_destroy(fake);
}

static void test_pstat(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    struct message ask = {.type = TM_PSTAT};
    ask.tm_pstat.tid = a->tid;
    EQUAL(done(fake, a, ask), 0, "oneself lives");
    ask.tm_pstat.tid = b->tid;
    EQUAL(done(fake, a, ask), 0, "one elsewhere too");
    ask.tm_pstat.tid = 0x80077;
    EQUAL(done(fake, a, ask), STATUS_NO_TASK, "no such task there");
    ask.tm_pstat.tid = 0x40077;
    EQUAL(done(fake, a, ask), STATUS_NO_TASK, "nor here");
    ask.tm_pstat.tid = 0x900001;
    EQUAL(done(fake, a, ask), STATUS_NO_TASK, "nor on a host that is not");
    ask.tm_pstat.tid = TID_DAEMON;
    EQUAL(done(fake, a, ask), STATUS_BAD_PARAM, "a daemon is no task");
    ask.tm_pstat.tid = b->tid;
    fake->nodes[1].is_cut = true;
    EQUAL(done(fake, a, ask), -99, "a host that is silent");
    fake_crash(fake, 1);
    EQUAL(fake_answer(fake, a).tm_done.status, STATUS_HOST_FAIL, "has failed");
    fake_destroy(fake);
}

static void test_mstat(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct message ask = {.type = TM_MSTAT, .tm_mstat = {.host = "."}};
    EQUAL(done(fake, a, ask), 0, "this host");
    ask.tm_mstat.host = "alpha-1";
    EQUAL(done(fake, a, ask), 0, "another");
    ask.tm_mstat.host = "alpha-2";
    EQUAL(done(fake, a, ask), STATUS_NO_HOST, "one that is not");
    ask.tm_mstat.host = "";
    EQUAL(done(fake, a, ask), STATUS_BAD_PARAM, "no name");
    fake_destroy(fake);
}

static void test_clock(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct message ask = {.type = TM_HOSTSYNC, .tm_hostsync = {.host_tid = 0x80000}};
    struct message answer = fake_request(fake, a, &ask);
    EQUAL(answer.tm_clock.status, 0, "the clock of another host");
    EQUAL(answer.tm_clock.seconds, 6, "which the fake world sets five seconds ahead");
    ask.tm_hostsync.host_tid = 0x900000;
    EQUAL(fake_request(fake, a, &ask).tm_clock.status, STATUS_NO_HOST, "of a host that is not");
    fake_destroy(fake);
}

static void test_signals(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct message spawned = fake_spawn(fake, a, 1, "alpha-1", 1);
    struct message kill = {.type = TM_SIGNAL, .tm_signal = {.signal = 10}};
    kill.tm_signal.tid = (uint32_t)spawned.tm_spawned.tids.items[0];
    fake_request(fake, a, &kill);
    EQUAL(fake_child_of(fake, 0)->last_signal, 10, "a signal goes to where the task is");
    kill.tm_signal.tid = 0x40077;
    fake_request(fake, a, &kill);
    kill.tm_signal.tid = 0x900077;
    fake_request(fake, a, &kill);
    OK(a->is_open, "one to nobody goes nowhere");
    fake_destroy(fake);
}

static void test_tickle(void)
{
    static const int32_t hosts[] = {1}, set[] = {6, 0x41}, get[] = {5}, odd[] = {77};
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct message ask = {.type = TM_TICKLE, .tm_tickle = {.args = {1, hosts}}};
    EQUAL(fake_request(fake, a, &ask).tm_tickled.status, 0, "the table to the log");
    OK(fake_logged(fake, "host 2 \"alpha-1\" LINUX64"), "is there");
    ask.tm_tickle.args = (struct wire_i32s){2, set};
    fake_request(fake, a, &ask);
    ask.tm_tickle.args = (struct wire_i32s){1, get};
    EQUAL(fake_request(fake, a, &ask).tm_tickled.results.items[0], 0x41, "a mask set is kept");
    ask.tm_tickle.args = (struct wire_i32s){1, odd};
    EQUAL(fake_request(fake, a, &ask).tm_tickled.results.count, 0, "what is unknown is answered");
    ask.tm_tickle.args.count = 0;
    EQUAL(fake_request(fake, a, &ask).tm_tickled.status, STATUS_BAD_PARAM, "nothing is an error");
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_config);
    TEST(test_tasks);
    TEST(test_tasks_of_a_dying_host);
    TEST(test_pstat);
    TEST(test_mstat);
    TEST(test_clock);
    TEST(test_signals);
    TEST(test_tickle);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
