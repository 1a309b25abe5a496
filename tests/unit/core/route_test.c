/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames to tasks here and elsewhere, torn messages, tasks that are gone, limits. */
#include "fake.h"

#include "base/str.h"
#include "tap.h"

enum { WHOLE = FRAME_FIRST | FRAME_LAST };

static struct fake_task *task_on(struct fake *fake, int node)
{
    return fake_task(fake, node, 0, 0);
}

static bool got(struct fake_task *task, enum frame_kind kind, uint32_t source, uint64_t sequence)
{
    struct frame frame = fake_take(task);
    bool same = frame.kind == kind && frame.source == source && frame.sequence == sequence;
    frame_drop(&frame);
    return same;
}

static void test_here(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = task_on(fake, 0);
    struct fake_task *b = task_on(fake, 0);
    fake_send(fake, a, b->tid, 1, WHOLE, "hello");
    fake_send(fake, a, a->tid, 1, WHOLE, "me");
    fake_run(fake);
    struct frame frame = fake_take(b);
    OK(frame.kind == FRAME_DATA && frame.body.length == 5 && !memcmp(frame.body.data, "hello", 5),
       "a message to a neighbour arrives as it was");
    frame_drop(&frame);
    OK(got(a, FRAME_DATA, a->tid, 1), "one to oneself too");
    EQUAL(node_queued_bytes(fake->nodes[0].node), 0, "nothing is queued any more");
    fake_destroy(fake);
}

static void test_elsewhere(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = task_on(fake, 1);
    fake_send(fake, a, b->tid, 1, WHOLE, "hello");
    fake_send(fake, a, b->tid, 2, FRAME_FIRST, "be");
    fake_send(fake, a, b->tid, 2, FRAME_LAST, "gin");
    fake_run(fake);
    OK(got(b, FRAME_DATA, a->tid, 1) && got(b, FRAME_DATA, a->tid, 2) &&
       got(b, FRAME_DATA, a->tid, 2), "all fragments arrive, in order");
    EQUAL(fake->nodes[1].consumed, fake->nodes[1].received,
          "all credit goes back when it is taken");
    fake_destroy(fake);
}

static void test_nobody_there(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    fake_send(fake, a, 0x40099, 1, WHOLE, "x");
    fake_send(fake, a, 0x80099, 1, WHOLE, "x");
    fake_send(fake, a, 0x900001, 1, WHOLE, "x");
    fake_send(fake, a, 0x80040000, 1, WHOLE, "x");
    fake_run(fake);
    OK(a->is_open, "messages to those who are not there vanish");
    EQUAL(fake->nodes[1].consumed, fake->nodes[1].received, "their credit goes back");
    EQUAL(fake->nodes[1].resets, 1, "and the flow is given up");
    fake_send(fake, a, 0x40000001, 1, WHOLE, "x");
    fake_run(fake);
    OK(!a->is_open, "what is no destination at all closes the connection");
    fake_destroy(fake);
}

static void test_foreign_source(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = task_on(fake, 1);
    struct frame frame = {.kind = FRAME_DATA, .flags = WHOLE, .source = b->tid,
                          .destination = b->tid};
    fake_send_frame(fake, a, &frame);
    fake_run(fake);
    OK(!a->is_open, "nobody speaks for another task");
    struct event lie = {.kind = EVENT_PEER_FRAME, .peer = fake->nodes[0].epoch, .frame = frame};
    lie.frame.sequence = 1;
    fake_event(fake, 1, &lie);
    fake_run(fake);
    EQUAL(b->frame_count, 0, "nor a host for the tasks of another");
    fake_destroy(fake);
}

static void test_not_enrolled_yet(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct message spawned = fake_spawn(fake, a, 1, "alpha-1", 1);
    uint32_t tid = (uint32_t)spawned.tm_spawned.tids.items[0];
    fake_send(fake, a, tid, 1, WHOLE, "early");
    fake_run(fake);
    OK(node_queued_bytes(fake->nodes[1].node) > 0,
       "what is for a task that is about to come waits");
    EQUAL(fake->nodes[1].consumed, 0, "and holds its credit");
    struct fake_task *child = fake_enrol_child(fake, fake_child_of(fake, 0));
    OK(got(child, FRAME_DATA, a->tid, 1), "it gets it when it comes");
    EQUAL(fake->nodes[1].consumed, fake->nodes[1].received, "then the credit goes back");
    fake_destroy(fake);
}

static void test_torn(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *watcher = fake_machine(fake, 2);
    struct fake_task *here = task_on(fake, 0);
    struct fake_task *there = task_on(fake, 1);
    fake_send(fake, there, here->tid, 1, WHOLE, "a");
    fake_send(fake, there, here->tid, 2, FRAME_FIRST, "b");
    fake_run(fake);
    (void)watcher;
    fake_close(fake, there);
    OK(got(here, FRAME_DATA, there->tid, 1) && got(here, FRAME_DATA, there->tid, 2),
       "one and a half");
    OK(got(here, FRAME_ABORT, there->tid, 2), "the half one is called off");
    fake_destroy(fake);
}

static void test_impossible_fragments(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = task_on(fake, 0);
    fake_send(fake, a, a->tid, 1, 0, "middle");
    fake_run(fake);
    OK(!a->is_open, "a middle without a beginning closes the connection");
    struct fake_task *b = task_on(fake, 0);
    struct frame notice = {.kind = FRAME_NOTICE, .flags = WHOLE, .source = b->tid,
                           .destination = b->tid};
    fake_send_frame(fake, b, &notice);
    fake_run(fake);
    OK(!b->is_open, "tasks send no notices");
    fake_destroy(fake);
}

static void test_receiver_dies_with_untaken(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = task_on(fake, 1);
    b->takes_nothing = true;
    fake_send(fake, a, b->tid, 1, WHOLE, "hello");
    fake_run(fake);
    EQUAL(fake->nodes[1].consumed, 0, "untaken, no credit goes back");
    fake_close(fake, b);
    EQUAL(fake->nodes[1].consumed, fake->nodes[1].received, "the end of the task gives it back");
    EQUAL(node_queued_bytes(fake->nodes[1].node), 0, "nothing is queued any more");
    fake_destroy(fake);
}

static void test_full_queue(void)
{
    struct fake *fake = fake_create_unstarted();
    fake->queue_bytes_max = 100;
    fake_start(fake);
    struct fake_task *a = task_on(fake, 0);
    struct fake_task *b = task_on(fake, 0);
    b->takes_nothing = true;
    for (uint64_t i = 1; i < 5; i++)
        fake_send(fake, a, b->tid, i, WHOLE, "0123456789");
    fake_run(fake);
    OK(a->is_paused, "above the limit the sender is not read from");
    struct event taken = {.kind = EVENT_CONN_TAKEN, .conn = b->conn, .count = b->untaken};
    fake_event(fake, 0, &taken);
    fake_run(fake);
    OK(!a->is_paused, "below it, it is again");
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_here);
    TEST(test_elsewhere);
    TEST(test_nobody_there);
    TEST(test_foreign_source);
    TEST(test_not_enrolled_yet);
    TEST(test_torn);
    TEST(test_impossible_fragments);
    TEST(test_receiver_dies_with_untaken);
    TEST(test_full_queue);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
