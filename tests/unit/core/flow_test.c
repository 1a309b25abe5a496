/* SPDX-License-Identifier: BSD-3-Clause */
/* Who sends more than his window is not read from until the link took it. */
#include "fake.h"

#include "base/str.h"
#include "tap.h"

enum { WHOLE = FRAME_FIRST | FRAME_LAST };

static struct fake *small_windows(void)
{
    struct fake *fake = fake_create_unstarted();
    fake->flow_window_bytes = 100;
    fake_start(fake);
    return fake;
}

static void acked(struct fake *fake, uint32_t source, uint32_t destination, uint64_t count,
                  enum event_kind kind)
{
    struct event event = {.kind = kind, .peer = fake->nodes[1].epoch, .source = source,
                          .destination = destination, .count = count};
    fake_event(fake, 0, &event);
    fake_run(fake);
}

static void test_pause_and_resume(void)
{
    struct fake *fake = small_windows();
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    fake->nodes[0].keeps_acks = true;
    for (uint64_t i = 1; i <= 4; i++)
        fake_send(fake, a, b->tid, i, WHOLE, "0123");
    fake_run(fake);
    OK(a->is_paused, "112 bytes under way: not read from");
    EQUAL(b->frame_count, 4, "though all of it was sent");
    acked(fake, a->tid, b->tid, 28, EVENT_PEER_ACKED);
    OK(a->is_paused, "84 bytes: not yet");
    acked(fake, a->tid, b->tid, 56, EVENT_PEER_ACKED);
    OK(!a->is_paused, "28 bytes: again");
    fake_destroy(fake);
}

static void test_reset_and_death(void)
{
    struct fake *fake = small_windows();
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    fake->nodes[0].keeps_acks = true;
    for (uint64_t i = 1; i <= 4; i++)
        fake_send(fake, a, b->tid, i, WHOLE, "0123");
    fake_run(fake);
    acked(fake, a->tid, b->tid, 0, EVENT_PEER_RESET);
    OK(!a->is_paused, "a flow that is given up holds nobody");
    for (uint64_t i = 5; i <= 8; i++)
        fake_send(fake, a, b->tid, i, WHOLE, "0123");
    fake_run(fake);
    OK(a->is_paused, "again too much");
    fake_crash(fake, 1);
    OK(!a->is_paused, "nor does a host that is gone");
    fake_destroy(fake);
}

static void test_ghost_outlives_task(void)
{
    struct fake *fake = small_windows();
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    fake->nodes[0].keeps_acks = true;
    fake_send(fake, a, b->tid, 1, WHOLE, "0123");
    fake_run(fake);
    uint32_t gone = a->tid;
    fake_close(fake, a);
    fake_notify(fake, b, 1, 9, 1, &gone, 1);
    fake_run(fake);
    struct frame data = fake_take(b);
    struct frame notice = fake_take(b);
    EQUAL(notice.kind, FRAME_NOTICE, "a watch after the end is answered");
    struct rd rd = rd_init(notice.body.data, notice.body.length);
    EQUAL(rd_u32(&rd), gone, "with the one who ended");
    EQUAL(rd_u64(&rd), 1, "and the count of what it had sent");
    frame_drop(&data);
    frame_drop(&notice);
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_pause_and_resume);
    TEST(test_reset_and_death);
    TEST(test_ghost_outlives_task);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
