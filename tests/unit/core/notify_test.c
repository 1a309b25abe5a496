/* SPDX-License-Identifier: BSD-3-Clause */
/* pvm_notify(): each watch fires once, after the messages of its subject. */
#include "fake.h"

#include "core/notify.h"
#include "tap.h"

enum { TAG = 11, OTHER_TAG = 12, WHOLE = FRAME_FIRST | FRAME_LAST };

/* The int in the next frame, which must be a notice with |tag|; -1 when it is not. */
static int32_t notice(struct fake_task *task, int32_t tag)
{
    struct frame frame = fake_take(task);
    struct rd rd = rd_init(frame.body.data, frame.body.length);
    struct message_head head = {0};
    int32_t value = -1;
    rd_bytes(&rd, NOTICE_HEAD_BYTES);
    if (frame.kind == FRAME_NOTICE && message_head_read(&rd, &head) == 0 && head.tag == tag &&
        head.context == 7 && frame.source == TID_DAEMON)
        value = fake_int(&frame, 0);
    frame_drop(&frame);
    return value;
}

static void drop(struct fake_task *task)
{
    struct frame frame = fake_take(task);
    frame_drop(&frame);
}

static void test_task_exit_here(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    uint32_t tids[] = {b->tid, b->tid};
    fake_notify(fake, a, NOTIFY_TASK_EXIT, TAG, 2, tids, 2);
    fake_send(fake, b, a->tid, 1, WHOLE, "last");
    fake_run(fake);
    fake_close(fake, b);
    EQUAL(a->frame_count, 3, "the message, and a notice for each time it was asked");
    drop(a);
    struct rd rd = rd_init(a->frames[0].body.data, a->frames[0].body.length);
    OK(rd_u32(&rd) == b->tid && rd_u64(&rd) == 1,
       "the notice says after which message it may come");
    EQUAL(notice(a, TAG), (int32_t)b->tid, "one");
    EQUAL(notice(a, TAG), (int32_t)b->tid, "two");
    EQUAL(node_watch_count(fake->nodes[0].node), 0, "no watch is left");
    fake_destroy(fake);
}

static void test_task_exit_elsewhere(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    fake_notify(fake, a, NOTIFY_TASK_EXIT, TAG, 1, &b->tid, 1);
    fake_notify(fake, a, NOTIFY_TASK_EXIT, OTHER_TAG, 1, &b->tid, 1);
    EQUAL(a->frame_count, 0, "it lives: no notice");
    fake_close(fake, b);
    EQUAL(notice(a, TAG), (int32_t)b->tid, "it ends: the first");
    EQUAL(notice(a, OTHER_TAG), (int32_t)b->tid, "and the second");
    EQUAL(a->frame_count, 0, "no more");
    fake_notify(fake, a, NOTIFY_TASK_EXIT, TAG, 1, &b->tid, 1);
    EQUAL(notice(a, TAG), (int32_t)b->tid, "who is gone already is told at once");
    fake_destroy(fake);
}

static void test_unknown_at_once(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    uint32_t tids[] = {0x40077, 0x900001};
    fake_notify(fake, a, NOTIFY_TASK_EXIT, TAG, 2, tids, 2);
    EQUAL(notice(a, TAG), 0x40077, "an unknown task of this host");
    EQUAL(notice(a, TAG), 0x900001, "one of an unknown host");
    fake_notify(fake, a, NOTIFY_HOST_DELETE, TAG, 1, tids + 1, 1);
    EQUAL(notice(a, TAG), 0x900001, "an unknown host");
    fake_destroy(fake);
}

static void test_child_without_enrolment(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct message spawned = fake_spawn(fake, a, 0, "", 1);
    uint32_t tid = (uint32_t)spawned.tm_spawned.tids.items[0];
    fake_notify(fake, a, NOTIFY_TASK_EXIT, TAG, 1, &tid, 1);
    fake_exit(fake, fake_child_of(fake, 0));
    EQUAL(notice(a, TAG), (int32_t)tid, "a child that never enrolled ends too");
    fake_destroy(fake);
}

static void test_child_that_left(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    fake_spawn(fake, a, 0, "", 1);
    struct fake_task *child = fake_enrol_child(fake, fake_child_of(fake, 0));
    struct message exit = {.type = TM_EXIT};
    fake_notify(fake, a, NOTIFY_TASK_EXIT, TAG, 1, &child->tid, 1);
    fake_request(fake, child, &exit);
    EQUAL(a->frame_count, 0, "pvm_exit of a child is not its end");
    fake_exit(fake, fake_child_of(fake, 0));
    EQUAL(notice(a, TAG), (int32_t)child->tid, "that is the end of its process");
    fake_destroy(fake);
}

static void test_wrapped_child(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    fake_spawn(fake, a, 0, "", 1);
    struct fake_task *inner = fake_task(fake, 0, 4711, fake_child_of(fake, 0)->cookie);
    fake_notify(fake, a, NOTIFY_TASK_EXIT, TAG, 1, &inner->tid, 1);
    fake_close(fake, inner);
    EQUAL(notice(a, TAG), (int32_t)inner->tid, "one in a wrapper ends when it disconnects");
    fake_exit(fake, fake_child_of(fake, 0));
    EQUAL(a->frame_count, 0, "and only once");
    fake_destroy(fake);
}

static void test_own_exit(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct message exit = {.type = TM_EXIT};
    fake_notify(fake, a, NOTIFY_TASK_EXIT, TAG, 1, &a->tid, 1);
    fake_request(fake, a, &exit);
    EQUAL(notice(a, TAG), (int32_t)a->tid, "who watches himself is told as he leaves");
    fake_destroy(fake);
}

static void test_host_delete(void)
{
    static const char *const name = "alpha-1";
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 3);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    struct fake_task *c = fake_task(fake, 2, 0, 0);
    uint32_t daemon = TID_DAEMON | 2u << 18;
    fake_notify(fake, a, NOTIFY_TASK_EXIT, OTHER_TAG, 1, &b->tid, 1);
    fake_notify(fake, a, NOTIFY_HOST_DELETE, TAG, 1, &daemon, 1);
    fake_notify(fake, c, NOTIFY_TASK_EXIT, TAG, 1, &b->tid, 1);
    fake_delhosts(fake, a, &name, 1);
    struct frame abort = fake_take(a);
    EQUAL(abort.kind, FRAME_ABORT, "first: nothing more comes from there");
    EQUAL(abort.source, 2u << 18, "from the whole host");
    frame_drop(&abort);
    EQUAL(notice(a, TAG), (int32_t)daemon, "then its end, with the number that was given");
    EQUAL(notice(a, OTHER_TAG), (int32_t)b->tid, "then the end of its task");
    drop(c);
    EQUAL(notice(c, TAG), (int32_t)b->tid, "a third host tells its own");
    fake_advance(fake, 3 * UINT64_C(1000000000));
    EQUAL(a->frame_count + c->frame_count, 0, "all of it once");
    fake_destroy(fake);
}

static void test_host_add(void)
{
    static const char *const two[] = {"local", "local"};
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    fake_notify(fake, a, NOTIFY_HOST_ADD, TAG, 5, NULL, 0);
    fake_notify(fake, a, NOTIFY_HOST_ADD, TAG, 1, NULL, 0);
    fake_notify(fake, a, NOTIFY_HOST_ADD, OTHER_TAG, -1, NULL, 0);
    EQUAL(node_watch_count(fake->nodes[0].node), 2, "a later call takes the place of the earlier");
    fake_addhosts(fake, a, two, 2);
    struct frame frame = fake_take(a);
    EQUAL(fake_int(&frame, 0), 2, "two hosts came");
    EQUAL(fake_int(&frame, 1), 2 << 18, "this");
    EQUAL(fake_int(&frame, 2), 3 << 18, "and this");
    frame_drop(&frame);
    drop(a);
    fake_addhosts(fake, a, two, 1);
    EQUAL(a->frame_count, 1, "one notice was asked for there, here without end");
    EQUAL(notice(a, OTHER_TAG), 1, "so it goes on");
    fake_notify(fake, a, NOTIFY_HOST_ADD, OTHER_TAG, 0, NULL, 0);
    EQUAL(node_watch_count(fake->nodes[0].node), 0, "0 switches it off");
    fake_destroy(fake);
}

static void test_cancel(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    fake_notify(fake, a, NOTIFY_TASK_EXIT, TAG, 1, &b->tid, 1);
    fake_notify(fake, a, NOTIFY_TASK_EXIT | NOTIFY_CANCEL, OTHER_TAG, 1, &b->tid, 1);
    EQUAL(a->frame_count, 0, "another tag is another notice");
    fake_notify(fake, a, NOTIFY_TASK_EXIT | NOTIFY_CANCEL, TAG, 1, &b->tid, 1);
    EQUAL(notice(a, TAG), (int32_t)b->tid, "a cancelled one is delivered at once");
    fake_notify(fake, a, NOTIFY_TASK_EXIT, TAG, 1, &b->tid, 1);
    fake_close(fake, b);
    EQUAL(notice(a, TAG), (int32_t)b->tid, "asked again, it comes when its time comes");
    EQUAL(a->frame_count, 0, "once");
    fake_notify(fake, a, NOTIFY_HOST_ADD, TAG, -1, NULL, 0);
    fake_notify(fake, a, NOTIFY_HOST_ADD | NOTIFY_CANCEL, TAG, 0, NULL, 0);
    EQUAL(a->frame_count + node_watch_count(fake->nodes[0].node), 0, "host adds are just dropped");
    fake_destroy(fake);
}

static void test_watcher_dies(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    fake_notify(fake, a, NOTIFY_TASK_EXIT, TAG, 1, &b->tid, 1);
    fake_close(fake, a);
    EQUAL(node_watch_count(fake->nodes[0].node), 0, "the watches of a task end with it");
    fake_close(fake, b);
    OK(!fake->nodes[0].is_stopped, "and the answer that comes then is nobody's");
    fake_destroy(fake);
}

/* A tid may be here before the news of its host is. */
static void test_host_yet_to_come(void)
{
    static const char *const name = "local";
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 3);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    fake_advance(fake, 2 * UINT64_C(1000000000));
    fake->nodes[1].is_cut = true;
    fake_addhosts(fake, a, &name, 1);
    fake->nodes[1].is_cut = false;
    struct fake_task *d = fake_task(fake, 3, 0, 0);
    uint32_t bogus = 77u << 18 | 1;
    EQUAL(node_host_count(fake->nodes[1].node), 3, "one host has not heard of another");
    fake_notify(fake, b, 1, 5, 1, &d->tid, 1);
    fake_notify(fake, b, 1, 6, 1, &bogus, 1);
    struct message ask = {.type = TM_PSTAT, .tm_pstat = {.wait = 3, .tid = d->tid}};
    fake_ask(fake, b, &ask);
    fake_run(fake);
    fake_advance(fake, 7 * UINT64_C(1000000000));
    EQUAL(node_host_count(fake->nodes[1].node), 4, "then it does");
    EQUAL(fake_answer(fake, b).tm_done.status, 0, "and finds that the task lives");
    struct frame notice = fake_take(b);
    EQUAL(fake_int(&notice, 0), bogus, "one whose host never was is told of at once");
    frame_drop(&notice);
    EQUAL(b->frame_count, 0, "the other is not");
    fake_close(fake, d);
    notice = fake_take(b);
    EQUAL(fake_int(&notice, 0), d->tid, "before it ends");
    frame_drop(&notice);
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_task_exit_here);
    TEST(test_task_exit_elsewhere);
    TEST(test_unknown_at_once);
    TEST(test_child_without_enrolment);
    TEST(test_child_that_left);
    TEST(test_wrapped_child);
    TEST(test_own_exit);
    TEST(test_host_delete);
    TEST(test_host_add);
    TEST(test_cancel);
    TEST(test_watcher_dies);
    TEST(test_host_yet_to_come);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
