/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One story through everything, told again and again with another allocation of another step
 * failing: no crash, no leak, and every request ends, if need be with its daemon.
 */
#include "fake.h"

#include "core/child.h"
#include "tap.h"

enum { STEPS_MAX = 400, ALLOCATIONS = 10, WHOLE = FRAME_FIRST | FRAME_LAST };

static void multicast(struct fake *fake, struct fake_task *task, uint32_t a, uint32_t b)
{
    struct frame frame = {.kind = FRAME_MCAST, .flags = WHOLE, .source = task->tid, .sequence = 1};
    struct wr wr;
    wr_init(&wr);
    wr_u32(&wr, 2);
    wr_u32(&wr, a);
    wr_u64(&wr, 1);
    wr_u32(&wr, b);
    wr_u64(&wr, 1);
    frame.body = slice_copy(wr.bytes, wr.length);
    wr_fini(&wr);
    fake_send_frame(fake, task, &frame);
    frame_drop(&frame);
    fake_run(fake);
}

static void spawn_with_sink(struct fake *fake, struct fake_task *task)
{
    struct wire_sink sinks[2] = {{(int32_t)task->tid, 1, 2}, {0, 0, 0}};
    struct message request = {.type = TM_SPAWN};
    request.tm_spawn = (struct wire_tm_spawn){.file = "w", .where = "", .count = 3,
                                              .sinks = {2, sinks}};
    fake_request(fake, task, &request);
}

static void ask(struct fake *fake, struct fake_task *task, enum message_type type)
{
    struct message request = {.type = type};
    if (type == TM_MSTAT)
        request.tm_mstat.host = "alpha-1";
    if (type == TM_HOSTSYNC)
        request.tm_hostsync.host_tid = 0x80000;
    fake_request(fake, task, &request);
}

static void tell_story(struct fake *fake)
{
    static const char *const gone = "alpha-1";
    fake_start(fake);
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    uint32_t tids[] = {b->tid, 0x80002, 0x40002};
    fake_notify(fake, a, 1, 5, 3, tids, 3);
    fake_notify(fake, a, 2, 5, 1, tids, 1);
    fake_notify(fake, a, 3, 5, -1, NULL, 0);
    spawn_with_sink(fake, a);
    if (fake->child_count) {
        fake_print(fake, &fake->children[0], "hello\n");
        fake_send(fake, a, 0x80002, 1, WHOLE, "early");
        fake_run(fake);
        fake_enrol_child(fake, &fake->children[0]);
        fake_exit(fake, &fake->children[0]);
    }
    fake_send(fake, b, a->tid, 1, WHOLE, "there");
    fake_send(fake, b, a->tid, 2, FRAME_FIRST, "torn");
    fake_send(fake, a, a->tid, 1, WHOLE, "here");
    multicast(fake, a, a->tid, b->tid);
    ask(fake, a, TM_TASKS);
    ask(fake, a, TM_MSTAT);
    ask(fake, a, TM_HOSTSYNC);
    ask(fake, a, TM_CONFIG);
    fake_close(fake, b);
    fake_delhosts(fake, a, &gone, 1);
    fake_advance(fake, 200 * UINT64_C(1000000000));
}

/* A daemon that could not keep a promise stopped, and said so; otherwise nothing waits any more. */
static bool all_ended(const struct fake *fake)
{
    for (int i = 0; i < fake->node_count; i++) {
        const struct fake_node *node = &fake->nodes[i];
        if (node->node && !node->is_stopped && node_wait_count(node->node) != 0)
            return false;
    }
    return true;
}

static void run(uint64_t step, uint64_t nth, int repeat, int *wrong, uint64_t *steps)
{
    struct fake *fake = fake_create_unstarted();
    fake->hostfile = "* ep=/x\n";
    fake->request_timeout_ns = 20 * UINT64_C(1000000000);
    fake->fail_step = step;
    fake->fail_nth = nth;
    fake->fail_repeat = repeat;
    tell_story(fake);
    *wrong += !all_ended(fake);
    *steps = fake->steps;
    fake_destroy(fake);
    *wrong += buf_live_count() != 0;
}

int main(void)
{
    int wrong = 0;
    uint64_t steps;
    run(0, 0, 0, &wrong, &steps);
    EQUAL(wrong, 0, "the story, with memory");
    uint64_t whole = steps < STEPS_MAX ? steps : STEPS_MAX;
    OK(whole > 60, "is a long one");
    for (uint64_t nth = 1; nth <= ALLOCATIONS; nth++) {
        for (uint64_t step = 1; step <= whole; step++)
            run(step, nth, 0, &wrong, &steps);
        EQUAL(wrong, 0, "with one allocation failing, in each step of it");
    }
    for (uint64_t step = 1; step <= whole; step++)
        run(step, 1, 1, &wrong, &steps);
    EQUAL(wrong, 0, "with all of them failing");
    return tap_done();
}
