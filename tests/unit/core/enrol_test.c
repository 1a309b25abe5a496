/* SPDX-License-Identifier: BSD-3-Clause */
/* Tasks come and leave. */
#include "fake.h"

#include "tap.h"

static void test_versions(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *task = fake_task(fake, 0, 0, 0);
    struct message enrol = {.type = TM_ENROL, .tm_enrol = {.version = 9, .name = ""}};
    fake_close(fake, task);
    struct event opened = {.kind = EVENT_CONN_OPENED, .conn = task->conn = 77, .pid = 5};
    task->is_open = true;
    fake_event(fake, 0, &opened);
    struct message answer = fake_request(fake, task, &enrol);
    EQUAL(answer.tm_enrolled.status, STATUS_BAD_VERSION, "another version is refused");
    OK(strstr(answer.tm_enrolled.error, "version 9"), "in words with both numbers");
    OK(!task->is_open, "and the connection is closed");
    fake_destroy(fake);
}

static void test_only_enrol_before_enrolment(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *task = fake_task(fake, 0, 0, 0);
    struct message exit = {.type = TM_EXIT};
    EQUAL(fake_request(fake, task, &exit).tm_done.status, 0, "a task leaves");
    EQUAL(node_task_count(fake->nodes[0].node), 0, "it is gone");
    struct message config = {.type = TM_CONFIG};
    EQUAL(fake_request(fake, task, &config).type, MESSAGE_NONE, "then nothing is answered");
    OK(!task->is_open, "and the connection is closed");
    fake_destroy(fake);
}

static void test_enrol_again(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *task = fake_task(fake, 0, 0, 0);
    struct message exit = {.type = TM_EXIT};
    fake_request(fake, task, &exit);
    struct message enrol = {.type = TM_ENROL,
                            .tm_enrol = {.version = PROTOCOL_TASK_VERSION, .name = ""}};
    struct message answer = fake_request(fake, task, &enrol);
    EQUAL(answer.tm_enrolled.tid, 0x40002, "who comes back gets a new tid");
    fake_ask(fake, task, &enrol);
    fake_run(fake);
    OK(!task->is_open, "to enrol twice cannot be");
    EQUAL(node_task_count(fake->nodes[0].node), 0, "and ends the task");
    fake_destroy(fake);
}

static void test_child_keeps_its_tid(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *task = fake_task(fake, 0, 0, 0);
    struct message spawned = fake_spawn(fake, task, 0, "", 1);
    struct fake_child *child = fake_child_of(fake, 0);
    struct fake_task *enrolled = fake_enrol_child(fake, child);
    EQUAL(enrolled->tid, spawned.tm_spawned.tids.items[0],
          "the cookie gives the tid it was born with");
    EQUAL(enrolled->parent, task->tid, "and the parent");
    struct fake_task *thief = fake_task(fake, 0, 0, child->cookie);
    EQUAL(thief->parent, STATUS_NO_PARENT, "a cookie is good once");
    struct message exit = {.type = TM_EXIT};
    fake_request(fake, enrolled, &exit);
    EQUAL(node_task_count(fake->nodes[0].node), 3,
          "a child that left is there until its process ends");
    fake_exit(fake, child);
    EQUAL(node_task_count(fake->nodes[0].node), 2, "then it is not");
    fake_destroy(fake);
}

static void test_malformed(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *task = fake_task(fake, 0, 0, 0);
    struct frame frame = {.kind = FRAME_CONTROL, .body = slice_copy("\0\xff garbage", 10)};
    fake_send_frame(fake, task, &frame);
    frame_drop(&frame);
    fake_run(fake);
    OK(!task->is_open, "a message that cannot be closes the connection");
    OK(fake_logged(fake, "a message that cannot be"), "with a line in the log");
    EQUAL(node_task_count(fake->nodes[0].node), 0, "its task is gone");
    fake_destroy(fake);
}

static void test_too_many(void)
{
    struct fake *fake = fake_create_unstarted();
    fake->tasks_max = 2;
    fake_start(fake);
    fake_task(fake, 0, 0, 0);
    fake_task(fake, 0, 0, 0);
    struct fake_task *third = fake_task(fake, 0, 0, 0);
    EQUAL(third->tid, 0, "no more than PVM_MAX_TASKS");
    OK(!third->is_open, "the third is sent away");
    fake_destroy(fake);
}

/* A process that forked and died leaves its socket open in the other one. */
static void test_socket_outlives_process(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *task = fake_task(fake, 0, 0, 0);
    fake_spawn(fake, task, 0, "", 1);
    struct fake_child *child = fake_child_of(fake, 0);
    struct fake_task *enrolled = fake_enrol_child(fake, child);
    enrolled->pid = 0; /* the fake shell will not close it */
    fake_exit(fake, child);
    EQUAL(node_task_count(fake->nodes[0].node), 2, "the process is gone, the socket is open");
    fake_advance(fake, 2 * UINT64_C(1000000000));
    EQUAL(node_task_count(fake->nodes[0].node), 1, "after a silent while that is the end");
    OK(!enrolled->is_open, "of the connection too");
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_versions);
    TEST(test_only_enrol_before_enrolment);
    TEST(test_enrol_again);
    TEST(test_child_keeps_its_tid);
    TEST(test_malformed);
    TEST(test_too_many);
    TEST(test_socket_outlives_process);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
