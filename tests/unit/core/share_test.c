/* SPDX-License-Identifier: BSD-3-Clause */
/* Who shares memory with whom: indexes, offers and descriptors passed on, the word of an end. */
#include "fake.h"

#include "core/share.h"
#include "tap.h"

static struct fake *sharing(void)
{
    struct fake *fake = fake_create_unstarted();
    fake->shares_memory = true;
    fake_start(fake);
    return fake;
}

/* The next control message; `tm_peer` is most often what is asked for. */
static struct message next(struct fake *fake, struct fake_task *task)
{
    fake_run(fake);
    return fake_answer(fake, task);
}

/* Both have passed their sides and taken note of the other's. */
static void attach_both(struct fake *fake, struct fake_task *a, struct fake_task *b, uint32_t fds)
{
    fake_attach(fake, a, b->tid, 4096, fds);
    next(fake, b);
    fake_attach(fake, b, a->tid, 8192, fds);
    next(fake, a);
}

static void test_indexes(void)
{
    struct fake *fake = sharing();
    struct fake_task *tasks[4];
    for (int i = 0; i < 4; i++)
        tasks[i] = fake_task(fake, 0, 0, 0);
    EQUAL(tasks[0]->share_index, 1, "the first gets index 1");
    EQUAL(tasks[3]->share_index, 4, "and so on");
    fake_close(fake, tasks[1]);
    EQUAL(fake_task(fake, 0, 0, 0)->share_index, 2, "the smallest free one is used again");
    struct fake_task *left = tasks[2];
    struct message exit = {.type = TM_EXIT};
    fake_request(fake, left, &exit);
    EQUAL(fake_task(fake, 0, 0, 0)->share_index, 3, "also that of one who left, still connected");
    fake_destroy(fake);
}

static void test_no_index(void)
{
    struct fake *fake = sharing();
    fake->signature = 0x00408c40;
    struct fake_task *other = fake_task(fake, 0, 0, 0);
    EQUAL(other->share_index, 0, "none for a task of another data signature");
    fake->signature = 0;
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    fake_attach(fake, a, other->tid, 4096, 3);
    EQUAL(next(fake, a).tm_peer.status, STATUS_NOT_IMPL, "nobody can share with it");
    EQUAL(other->answer_count, 0, "it hears nothing of that");
    fake_attach(fake, other, a->tid, 4096, 3);
    EQUAL(next(fake, other).tm_peer.status, STATUS_NOT_IMPL, "nor it with anybody");
    fake_destroy(fake);

    fake = fake_create("");
    EQUAL(fake_task(fake, 0, 0, 0)->share_index, 0, "none at all where the host does not share");
    fake_destroy(fake);
}

static void test_all_indexes(void)
{
    struct fake *fake = sharing();
    uint32_t last = 0;
    struct fake_task *task = NULL;
    for (int i = 1; i < SHARE_INDEX_MAX; i++) {
        fake->task_count = 0; /* their records are not needed */
        task = fake_task(fake, 0, 0, 0);
        last = task->share_index;
    }
    EQUAL(last, SHARE_INDEX_MAX - 1, "4095 tasks have one");
    fake->task_count = 1;
    struct fake_task *more = fake_task(fake, 0, 0, 0);
    EQUAL(more->share_index, 0, "the next one has not");
    OK(more->tid != 0, "and is a task all the same");
    fake_close(fake, task);
    EQUAL(fake_task(fake, 0, 0, 0)->share_index, last, "until one ends");
    fake_destroy(fake);
}

static void test_relay(void)
{
    struct fake *fake = sharing();
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    fake_attach(fake, a, b->tid, 4096, 3);
    struct message peer = next(fake, b);
    EQUAL(peer.type, TM_PEER, "the other is told");
    EQUAL(peer.tm_peer.tid, a->tid, "who it is");
    EQUAL(peer.tm_peer.status, 0, "that it shares");
    EQUAL(peer.tm_peer.index, a->share_index, "its place in inboxes");
    EQUAL(peer.tm_peer.ring_offset, 4096, "where its ring is");
    EQUAL(peer.tm_peer.ring_slots, 8, "how large");
    EQUAL(peer.tm_peer.back_offset, 8192, "and its back block");
    EQUAL(peer.tm_peer.fds, 3, "and that descriptors come with it");
    EQUAL(b->fds_of, a->conn, "those of the one who asked");
    EQUAL(a->answer_count, 0, "who hears nothing yet");
    fake_attach(fake, b, a->tid, 20480, 3);
    peer = next(fake, a);
    EQUAL(peer.tm_peer.tid, b->tid, "until the other has passed its side");
    EQUAL(peer.tm_peer.ring_offset, 20480, "which it gets");
    EQUAL(a->fds_of, b->conn, "with descriptors");
    fake_destroy(fake);
}

static void test_crossing(void)
{
    struct fake *fake = sharing();
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    fake_attach(fake, a, b->tid, 4096, 3);
    fake_attach(fake, b, a->tid, 8192, 3);
    EQUAL(next(fake, a).tm_peer.ring_offset, 8192, "requests cross: one gets the other's side");
    EQUAL(next(fake, b).tm_peer.ring_offset, 4096, "and the other its own");
    EQUAL(a->answer_count + b->answer_count, 0, "and no more is said");
    fake_destroy(fake);
}

static void test_second_pair_without_fds(void)
{
    struct fake *fake = sharing();
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    struct fake_task *c = fake_task(fake, 0, 0, 0);
    attach_both(fake, a, b, 3);
    fake_attach(fake, a, c->tid, 12288, 0);
    struct message peer = next(fake, c);
    EQUAL(peer.tm_peer.tid, a->tid, "the second pair needs no descriptors from the one who asks");
    EQUAL(peer.tm_peer.fds, 3, "the third gets them all the same");
    EQUAL(c->fds_of, a->conn, "from the daemon");
    fake_attach(fake, c, a->tid, 4096, 0);
    EQUAL(next(fake, c).tm_peer.status, STATUS_SYS_ERR, "who never passed any cannot share");
    fake_destroy(fake);
}

static void test_refusals(void)
{
    struct fake *fake = sharing();
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct fake_task *gone = fake_task(fake, 0, 0, 0);
    fake_close(fake, gone);
    fake_attach(fake, a, gone->tid, 4096, 3);
    struct message peer = next(fake, a);
    EQUAL(peer.tm_peer.status, STATUS_NO_TASK, "who is gone is no task");
    EQUAL(peer.tm_peer.tid, gone->tid, "the answer names it");
    fake_attach(fake, a, 0x80001, 4096, 0);
    EQUAL(next(fake, a).tm_peer.status, STATUS_NO_TASK, "nor is one of another host");
    fake_attach(fake, a, 0, 4096, 0);
    EQUAL(next(fake, a).tm_peer.status, STATUS_NO_TASK, "nor 0");
    fake_attach(fake, a, a->tid, 4096, 0);
    EQUAL(next(fake, a).tm_peer.status, STATUS_BAD_PARAM, "nobody shares with himself");
    OK(a->is_open, "all that is forgiven");
    fake_destroy(fake);
}

static void test_cut(void)
{
    struct fake *fake = sharing();
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    fake_attach(fake, a, b->tid, 4096, 3);
    fake_attach(fake, a, b->tid, 4096, 0);
    fake_run(fake);
    OK(!a->is_open, "to ask twice for the same task cannot be");
    OK(b->is_open, "and is nobody else's fault");
    struct fake_task *c = fake_task(fake, 0, 0, 0);
    fake_attach(fake, c, b->tid, 4096, 2);
    fake_run(fake);
    OK(!c->is_open, "nor can another number of descriptors");
    struct fake_task *d = fake_task(fake, 0, 0, 0);
    fake_attach(fake, d, b->tid, 4096, 3);
    fake_attach(fake, d, fake_task(fake, 0, 0, 0)->tid, 4096, 3);
    fake_run(fake);
    OK(!d->is_open, "nor descriptors a second time");
    struct fake_task *e = fake_task(fake, 0, 0, 0);
    uint32_t daemon = node_daemon_tid(fake->nodes[0].node);
    fake_attach(fake, e, daemon, 4096, 3);
    fake_attach(fake, e, daemon, 4096, 0);
    fake_run(fake);
    OK(!e->is_open, "nor the daemon twice");
    fake_destroy(fake);
}

static void test_lost_descriptors(void)
{
    struct fake *fake = sharing();
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    struct message attach = {.type = TM_ATTACH, .tm_attach = {.tid = b->tid, .fds = 3}};
    fake_ask(fake, a, &attach); /* the shell found that they are not what they should be */
    EQUAL(next(fake, a).tm_peer.status, STATUS_SYS_ERR, "descriptors that are none: refused");
    OK(a->is_open, "no more than that");
    EQUAL(b->answer_count, 0, "and nobody else gets them");
    fake_destroy(fake);
}

static void test_daemon(void)
{
    struct fake *fake = sharing();
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    uint32_t daemon = node_daemon_tid(fake->nodes[0].node);
    fake_attach(fake, a, daemon, 4096, 3);
    struct message peer = next(fake, a);
    EQUAL(a->share_attaches, 1, "the shell makes a pair");
    EQUAL(peer.tm_peer.tid, daemon, "the daemon shares");
    EQUAL(peer.tm_peer.index, 0, "its index is 0");
    EQUAL(peer.tm_peer.ring_offset, 4097, "its side is what the shell said");
    EQUAL(peer.tm_peer.fds, 3, "with descriptors");
    OK(a->fds_of == EFFECT_FDS_DAEMON, "its own");
    fake->share_status = STATUS_NO_MEM;
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    fake_attach(fake, b, daemon, 4096, 3);
    EQUAL(next(fake, b).tm_peer.status, STATUS_NO_MEM, "or it says why not");
    EQUAL(b->fds_count, 0, "without descriptors");
    fake_destroy(fake);
}

static void test_task_to_come(void)
{
    struct fake *fake = sharing();
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct message spawned = fake_spawn(fake, a, 0, "", 2);
    uint32_t first = (uint32_t)spawned.tm_spawned.tids.items[0];
    uint32_t second = (uint32_t)spawned.tm_spawned.tids.items[1];
    fake_attach(fake, a, first, 4096, 3);
    fake_attach(fake, a, second, 8192, 0);
    fake_run(fake);
    EQUAL(a->answer_count, 0, "a task that has not enrolled yet is waited for");
    struct fake_task *child = fake_enrol_child(fake, fake_child_of(fake, 0));
    struct message peer = next(fake, child);
    EQUAL(peer.tm_peer.tid, a->tid, "once it is there it is told");
    EQUAL(peer.tm_peer.ring_offset, 4096, "where the ring is");
    fake_exit(fake, fake_child_of(fake, 1));
    peer = next(fake, a);
    EQUAL(peer.tm_peer.tid, second, "the one that never enrolled");
    EQUAL(peer.tm_peer.status, STATUS_NO_TASK, "is no task");
    fake_destroy(fake);
}

static void test_asker_gone_meanwhile(void)
{
    struct fake *fake = sharing();
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    struct message spawned = fake_spawn(fake, a, 0, "", 2);
    uint32_t first = (uint32_t)spawned.tm_spawned.tids.items[0];
    fake_attach(fake, a, first, 4096, 3);
    fake_attach(fake, b, first, 4096, 3);
    fake_close(fake, a);
    struct message exit = {.type = TM_EXIT}, enrol = {.type = TM_ENROL};
    fake_request(fake, b, &exit);
    enrol.tm_enrol = (struct wire_tm_enrol){.version = PROTOCOL_TASK_VERSION,
                                            .signature = 0x00408c41, .name = ""};
    fake_request(fake, b, &enrol);
    struct fake_task *child = fake_enrol_child(fake, fake_child_of(fake, 0));
    fake_run(fake);
    EQUAL(child->answer_count, 0, "who asked and is gone, or another now, is not passed on");
    fake_destroy(fake);
}

static void test_twice_for_one_to_come(void)
{
    struct fake *fake = sharing();
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct message spawned = fake_spawn(fake, a, 0, "", 1);
    uint32_t tid = (uint32_t)spawned.tm_spawned.tids.items[0];
    fake_attach(fake, a, tid, 4096, 3);
    fake_attach(fake, a, tid, 4096, 0);
    fake_run(fake);
    OK(!a->is_open, "twice for a task to come: cut too");
    fake_destroy(fake);
}

static void test_gone_before_notice(void)
{
    struct fake *fake = sharing();
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    struct fake_task *c = fake_task(fake, 0, 0, 0);
    attach_both(fake, a, b, 3);
    fake_notify(fake, a, 1, 9, 1, &b->tid, 1);
    fake_notify(fake, c, 1, 9, 1, &b->tid, 1);
    fake_send(fake, b, a->tid, 1, FRAME_FIRST, "torn");
    fake_run(fake);
    uint64_t before = a->last_ticket;
    a->order_count = 0;
    fake_close(fake, b);
    EQUAL(a->order_count, 3, "three things are said of an end");
    EQUAL(a->order[0], FRAME_CONTROL, "first that the shared memory is done with");
    EQUAL(a->order[1], FRAME_ABORT, "then what is torn");
    EQUAL(a->order[2], FRAME_NOTICE, "then the notice");
    EQUAL(a->last_ticket - before, 3, "each frame has a number");
    struct message gone = fake_answer(fake, a);
    EQUAL(gone.type, TM_GONE, "the control message is TM_GONE");
    EQUAL(gone.tm_gone.tid, b->tid, "of the one who ended");
    EQUAL(c->answer_count, 0, "who did not share hears of no memory");
    EQUAL(fake_task(fake, 0, 0, 0)->share_index, 2, "only now its index is free");
    fake_destroy(fake);
}

static void test_gone_on_exit(void)
{
    struct fake *fake = sharing();
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    attach_both(fake, a, b, 3);
    fake_notify(fake, a, 1, 9, 1, &b->tid, 1);
    fake_run(fake);
    a->order_count = 0;
    struct message exit = {.type = TM_EXIT};
    fake_request(fake, b, &exit);
    EQUAL(b->share_ends, 1, "who leaves shares no more");
    EQUAL(a->order_count, 2, "the other is told");
    EQUAL(a->order[0], FRAME_CONTROL, "of the memory");
    EQUAL(a->order[1], FRAME_NOTICE, "before the end");
    EQUAL(fake_answer(fake, a).type, TM_GONE, "by TM_GONE");
    EQUAL(b->answer_count, 0, "the one who left hears nothing");
    fake_close(fake, a);
    EQUAL(b->answer_count, 0, "nor of the other's end");
    fake_destroy(fake);
}

static void test_gone_half_attached(void)
{
    struct fake *fake = sharing();
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    fake_attach(fake, a, b->tid, 4096, 3);
    next(fake, b);
    fake_close(fake, a);
    EQUAL(next(fake, b).type, TM_GONE, "who has only been asked is told too");
    fake_attach(fake, b, a->tid, 4096, 3);
    EQUAL(next(fake, b).tm_peer.status, STATUS_NO_TASK, "its answer comes too late");
    struct fake_task *c = fake_task(fake, 0, 0, 0);
    fake_attach(fake, b, c->tid, 4096, 0);
    fake_run(fake);
    fake_close(fake, c);
    struct message gone = next(fake, b);
    EQUAL(gone.type, TM_GONE, "and who has asked and got no answer");
    EQUAL(gone.tm_gone.tid, c->tid, "of that one");
    fake_destroy(fake);
}

static void test_wake(void)
{
    struct fake *fake = sharing();
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct fake_task *b = fake_task(fake, 0, 0, 0);
    struct fake_task *c = fake_task(fake, 0, 0, 0);
    attach_both(fake, a, b, 3);
    struct message wake = {.type = TM_WAKE, .tm_wake = {.tid = b->tid}};
    fake_ask(fake, a, &wake);
    fake_run(fake);
    EQUAL(b->wakes, 1, "a bell is rung for one who shares");
    fake_ask(fake, c, &wake);
    fake_run(fake);
    EQUAL(b->wakes, 1, "for a stranger it is not");
    fake_close(fake, b);
    fake_ask(fake, a, &wake);
    fake_run(fake);
    OK(a->is_open, "one who just went is no fault");
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_indexes);
    TEST(test_no_index);
    TEST(test_all_indexes);
    TEST(test_relay);
    TEST(test_crossing);
    TEST(test_second_pair_without_fds);
    TEST(test_refusals);
    TEST(test_cut);
    TEST(test_lost_descriptors);
    TEST(test_daemon);
    TEST(test_task_to_come);
    TEST(test_asker_gone_meanwhile);
    TEST(test_twice_for_one_to_come);
    TEST(test_gone_before_notice);
    TEST(test_gone_on_exit);
    TEST(test_gone_half_attached);
    TEST(test_wake);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
