/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames to many. */
#include "fake.h"

#include "base/str.h"
#include "tap.h"

static void send(struct fake *fake, struct fake_task *task, uint64_t number, uint8_t flags,
                 const struct fake_task *const *to, size_t count, const char *text)
{
    struct wr wr;
    struct frame frame = {.kind = FRAME_MCAST, .flags = flags, .source = task->tid,
                          .sequence = number};
    wr_init(&wr);
    if (flags & FRAME_FIRST) {
        wr_u32(&wr, (uint32_t)count);
        for (size_t i = 0; i < count; i++) {
            wr_u32(&wr, to[i]->tid);
            wr_u64(&wr, 10 + i);
        }
    }
    wr_bytes(&wr, text, strlen(text));
    frame.body = slice_copy(wr.bytes, wr.length);
    wr_fini(&wr);
    fake_send_frame(fake, task, &frame);
    frame_drop(&frame);
}

static bool got(struct fake_task *task, enum frame_kind kind, uint64_t sequence, const char *text)
{
    struct frame frame = fake_take(task);
    bool same = frame.kind == kind && frame.sequence == sequence &&
                frame.destination == task->tid && frame.body.length == strlen(text) &&
                (!*text || memcmp(frame.body.data, text, strlen(text)) == 0);
    frame_drop(&frame);
    return same;
}

static void test_dealt_out(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 3);
    const struct fake_task *to[] = {fake_task(fake, 0, 0, 0), fake_task(fake, 1, 0, 0),
                                    fake_task(fake, 1, 0, 0), fake_task(fake, 2, 0, 0)};
    send(fake, a, 1, FRAME_FIRST, to, 4, "one");
    send(fake, a, 1, FRAME_LAST, NULL, 0, "two");
    fake_run(fake);
    for (size_t i = 0; i < 4; i++) {
        struct fake_task *task = &fake->tasks[i + 1];
        OK(got(task, FRAME_DATA, 10 + i, "one") && got(task, FRAME_DATA, 10 + i, "two"),
           "each gets both fragments as data with its own number");
    }
    EQUAL(fake->nodes[1].consumed, fake->nodes[1].received, "the credit of the one copy goes back");
    fake_destroy(fake);
}

static void test_credit_waits_for_the_slowest(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *fast = fake_task(fake, 1, 0, 0);
    struct fake_task *slow = fake_task(fake, 1, 0, 0);
    const struct fake_task *to[] = {fast, slow};
    slow->takes_nothing = true;
    send(fake, a, 1, FRAME_FIRST | FRAME_LAST, to, 2, "x");
    fake_run(fake);
    EQUAL(fake->nodes[1].consumed, 0, "one of two has it: no credit");
    fake_close(fake, slow);
    EQUAL(fake->nodes[1].consumed, fake->nodes[1].received, "when the last is done with it, all");
    fake_destroy(fake);
}

static void test_torn(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    struct fake_task *c = fake_task(fake, 1, 0, 0);
    const struct fake_task *to[] = {b, c};
    send(fake, a, 4, FRAME_FIRST, to, 2, "x");
    fake_run(fake);
    fake_close(fake, a);
    OK(got(b, FRAME_DATA, 10, "x") && got(b, FRAME_ABORT, 10, ""), "called off here");
    OK(got(c, FRAME_DATA, 11, "x") && got(c, FRAME_ABORT, 11, ""), "and elsewhere");
    fake_destroy(fake);
}

static void test_notice_counts_it(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *c = fake_task(fake, 1, 0, 0);
    const struct fake_task *to[] = {c};
    fake_notify(fake, c, 1, 5, 1, &a->tid, 1);
    send(fake, a, 1, FRAME_FIRST | FRAME_LAST, to, 1, "x");
    fake_run(fake);
    fake_close(fake, a);
    OK(got(c, FRAME_DATA, 10, "x"), "the message");
    struct frame notice = fake_take(c);
    struct rd rd = rd_init(notice.body.data, notice.body.length);
    EQUAL(rd_u32(&rd), a->tid, "the notice waits for a message of the sender");
    EQUAL(rd_u64(&rd), 10, "this one");
    frame_drop(&notice);
    fake_destroy(fake);
}

static void test_impossible(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 1);
    send(fake, a, 9, FRAME_LAST, NULL, 0, "x");
    fake_run(fake);
    OK(!a->is_open, "an end without a beginning");
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    struct frame frame = {.kind = FRAME_MCAST, .flags = FRAME_FIRST, .source = b->tid,
                          .body = slice_copy("\xff\xff\xff\xff", 4)};
    fake_send_frame(fake, b, &frame);
    frame_drop(&frame);
    fake_run(fake);
    OK(!b->is_open, "a list longer than its frame");
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_dealt_out);
    TEST(test_credit_waits_for_the_slowest);
    TEST(test_torn);
    TEST(test_notice_counts_it);
    TEST(test_impossible);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
