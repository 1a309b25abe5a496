/* SPDX-License-Identifier: BSD-3-Clause */
/* Who sends more than his window is not read from until the link took it. */
#include "fake.h"

#include "base/str.h"
#include "core/flow.h"
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

/* ---- shared memory ---- */

enum memory { READ, SMALL, LENT };
enum { SMALL_COST = 124 + FLOW_FRAME_COST }; /* of 100 bytes */

static void send_as(struct fake *fake, struct fake_task *task, uint32_t destination,
                    uint64_t sequence, enum memory memory, size_t length)
{
    struct frame frame = {.kind = FRAME_DATA, .flags = WHOLE, .source = task->tid,
                          .destination = destination, .sequence = sequence,
                          .by_pair = memory != READ, .is_lent = memory == LENT};
    struct buf *buf = buf_create(length);
    memset(buf->data, 0, length);
    frame.body = slice_of(buf, 0, length);
    buf_drop(buf);
    fake_send_frame(fake, task, &frame);
    frame_drop(&frame);
    fake_run(fake);
}

static void test_lent_waits_for_nobody(void)
{
    struct fake *fake = small_windows();
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    struct fake_task *c = fake_task(fake, 0, 0, 0);
    c->takes_nothing = true;
    fake->nodes[0].keeps_acks = true;
    for (uint64_t i = 1; i <= 50; i++) {
        send_as(fake, a, b->tid, i, LENT, 1000);
        send_as(fake, a, c->tid, i, LENT, 1000);
    }
    OK(!a->is_paused && !a->pair_is_paused, "a lent body pauses nobody, to another host or here");
    EQUAL(node_queued_bytes(fake->nodes[0].node), 0, "and is not ours");
    EQUAL(b->frame_count, 50, "all of it is under way");
    send_as(fake, a, b->tid, 51, READ, 60);
    OK(!a->is_paused, "what comes over the socket besides is alone in its window");
    send_as(fake, a, b->tid, 52, READ, 60);
    OK(a->is_paused, "which it fills");
    acked(fake, a->tid, b->tid, 50 * 1024, EVENT_PEER_ACKED);
    OK(a->is_paused, "what was lent arrives first and is not mistaken for it");
    acked(fake, a->tid, b->tid, 84, EVENT_PEER_ACKED);
    acked(fake, a->tid, b->tid, 84, EVENT_PEER_ACKED);
    OK(!a->is_paused, "then the rest");
    fake_destroy(fake);
}

static void test_lent_goes_with_its_flow(void)
{
    struct fake *fake = small_windows();
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    fake->nodes[0].keeps_acks = true;
    for (uint64_t i = 1; i <= 20; i++)
        send_as(fake, a, b->tid, i, i % 2 ? LENT : SMALL, 100);
    EQUAL(node_queued_bytes(fake->nodes[0].node), 10 * SMALL_COST,
          "the copied half is ours, with what its books cost");
    acked(fake, a->tid, b->tid, 3 * 124 + 31, EVENT_PEER_ACKED);
    EQUAL(node_queued_bytes(fake->nodes[0].node), 9 * SMALL_COST - SMALL_COST / 4,
          "until it has arrived");
    acked(fake, a->tid, b->tid, 0, EVENT_PEER_RESET);
    EQUAL(node_queued_bytes(fake->nodes[0].node), 0, "or the receiver is gone");
    send_as(fake, a, b->tid, 21, SMALL, 100);
    fake_crash(fake, 1);
    EQUAL(node_queued_bytes(fake->nodes[0].node), 0, "or its host");
    fake_destroy(fake);
}

static void test_small_waits_for_memory(void)
{
    struct fake *fake = fake_create_unstarted();
    fake->flow_window_bytes = 100;
    fake->queue_bytes_max = 10 * (100 + FLOW_FRAME_COST);
    fake_start(fake);
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    fake->nodes[0].keeps_acks = true;
    for (uint64_t i = 1; i <= 10; i++)
        send_as(fake, a, b->tid, i, SMALL, 76);
    OK(!a->is_paused && !a->pair_is_paused, "small messages have no window");
    send_as(fake, a, b->tid, 11, SMALL, 76);
    OK(a->pair_is_paused, "but there is an end of our memory");
    OK(!a->is_paused, "the socket is read on: requests are answered");
    acked(fake, a->tid, b->tid, 300, EVENT_PEER_ACKED);
    OK(a->pair_is_paused, "a little room is not enough");
    acked(fake, a->tid, b->tid, 100, EVENT_PEER_ACKED);
    OK(!a->pair_is_paused, "a quarter is");
    for (uint64_t i = 12; i <= 20; i++)
        send_as(fake, a, b->tid, i, SMALL, 76);
    OK(a->pair_is_paused, "full again");
    fake_crash(fake, 1);
    OK(!a->pair_is_paused, "a host that goes makes room");
    fake_destroy(fake);
}

static void test_small_waits_for_sleeper_here(void)
{
    struct fake *fake = fake_create_unstarted();
    fake->queue_bytes_max = 1000;
    fake_start(fake);
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    b->takes_nothing = true;
    for (uint64_t i = 1; i <= 11; i++)
        send_as(fake, a, b->tid, i, SMALL, 76);
    OK(a->pair_is_paused && !a->is_paused, "the same for a task of this host");
    send_as(fake, a, b->tid, 12, READ, 76);
    OK(a->is_paused, "who also writes to its socket is not read at all");
    struct event taken = {.kind = EVENT_CONN_TAKEN, .conn = b->conn, .count = 600};
    fake_event(fake, 0, &taken);
    fake_run(fake);
    OK(!a->pair_is_paused && !a->is_paused, "both until there is room");
    fake_destroy(fake);
}

/* What a sharing task sends before it shares goes over its socket. */
static void test_first_message_waits_for_nobody(void)
{
    struct fake *fake = fake_create_unstarted();
    fake->flow_window_bytes = 100;
    fake->shares_memory = true;
    fake_start(fake);
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    fake->nodes[0].keeps_acks = true;
    send_as(fake, a, b->tid, 1, READ, 60000);
    OK(!a->is_paused, "its request to share, that comes behind, is read");
    EQUAL(node_queued_bytes(fake->nodes[0].node), 60024 + FLOW_FRAME_COST,
          "it counts with all that waits");
    fake->signature = 1;
    struct fake_task *other = fake_task(fake, 0, 0, 0);
    send_as(fake, other, b->tid, 1, READ, 60000);
    OK(other->is_paused, "a task that cannot share has its window");
    fake_destroy(fake);
}

/* Frames of a pair are taken at once, those of the socket before them later. */
static void test_taken_out_of_order(void)
{
    struct fake *fake = small_windows();
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    b->takes_nothing = true;
    send_as(fake, a, b->tid, 1, READ, 10);
    send_as(fake, a, b->tid, 2, READ, 20);
    send_as(fake, a, b->tid, 3, READ, 30);
    const uint64_t last = b->last_ticket;
    EQUAL(fake->nodes[1].consumed, 0, "three frames untaken");
    struct event taken = {.kind = EVENT_CONN_TAKEN, .conn = b->conn, .ticket = last - 1};
    fake_event(fake, 1, &taken);
    fake_run(fake);
    EQUAL(fake->nodes[1].consumed, 44, "the second is taken: its credit goes back");
    taken = (struct event){.kind = EVENT_CONN_TAKEN, .conn = b->conn, .count = 34 + 54};
    fake_event(fake, 1, &taken);
    fake_run(fake);
    EQUAL(fake->nodes[1].consumed, 34 + 44 + 54, "bytes are of the first and the third");
    taken = (struct event){.kind = EVENT_CONN_TAKEN, .conn = b->conn, .ticket = last};
    fake_event(fake, 1, &taken);
    taken.ticket = last + 7;
    fake_event(fake, 1, &taken);
    fake_run(fake);
    EQUAL(fake->nodes[1].consumed, 34 + 44 + 54, "nothing is taken twice");
    EQUAL(node_queued_bytes(fake->nodes[1].node), 0, "and nothing waits");
    fake_destroy(fake);
}

static void test_lent_for_one_to_come(void)
{
    struct fake *fake = small_windows();
    struct fake_task *a = fake_machine(fake, 1);
    struct message spawned = fake_spawn(fake, a, 0, "", 1);
    const uint32_t child = (uint32_t)spawned.tm_spawned.tids.items[0];
    send_as(fake, a, child, 1, LENT, 1000);
    EQUAL(node_queued_bytes(fake->nodes[0].node), 0, "lent to one that has not enrolled: not ours");
    struct fake_task *there = fake_enrol_child(fake, fake_child_of(fake, 0));
    EQUAL(there->frame_count, 1, "it gets it");
    EQUAL(node_queued_bytes(fake->nodes[0].node), 0, "and the books are right");
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_pause_and_resume);
    TEST(test_reset_and_death);
    TEST(test_ghost_outlives_task);
    TEST(test_lent_waits_for_nobody);
    TEST(test_lent_goes_with_its_flow);
    TEST(test_small_waits_for_memory);
    TEST(test_small_waits_for_sleeper_here);
    TEST(test_first_message_waits_for_nobody);
    TEST(test_taken_out_of_order);
    TEST(test_lent_for_one_to_come);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
