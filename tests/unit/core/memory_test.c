/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One story through everything, told again and again with another allocation of another step
 * failing: no crash, no leak, and every request ends, if need be with its daemon.
 */
#include "fake.h"

#include "core/child.h"
#include "tap.h"

enum { WHOLE = FRAME_FIRST | FRAME_LAST };

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

/* The master dies, another one adds a host and gives its place away, one is cut off and back. */
static void tell_changes(struct fake *fake)
{
    static const char *const name = "local";
    static const char *const gone[] = {"alpha-1", "alpha-2"};
    fake_start(fake);
    fake_machine(fake, 4);
    struct fake_task *d = fake_task(fake, 3, 0, 0);
    fake_notify(fake, d, 3, 5, -1, NULL, 0);
    fake_crash(fake, 0);
    fake_addhosts(fake, d, &name, 1);
    fake_delhosts(fake, d, gone, 2);
    fake->nodes[4].is_cut = true;
    fake_advance(fake, 6 * UINT64_C(1000000000));
    fake->nodes[4].is_cut = false;
    fake_rejoin(fake, 4);
    fake_advance(fake, 3 * UINT64_C(1000000000));
    ask(fake, d, TM_HALT);
    fake_advance(fake, 70 * UINT64_C(1000000000));
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

typedef void (*story_f)(struct fake *fake);

static void run(story_f story, uint64_t step, uint64_t nth, int repeat, int *wrong,
                uint64_t *steps)
{
    struct fake *fake = fake_create_unstarted();
    fake->hostfile = "* ep=/x\n";
    fake->request_timeout_ns = 20 * UINT64_C(1000000000);
    fake->fail_step = step;
    fake->fail_nth = nth;
    fake->fail_repeat = repeat;
    fake->dead_after_ns = 5 * UINT64_C(1000000000);
    story(fake);
    *wrong += !all_ended(fake);
    *steps = fake->steps;
    fake_destroy(fake);
    *wrong += buf_live_count() != 0;
}

/* |stride|: of the steps of a long story every so many. */
static void tell_with_failures(story_f story, uint64_t allocations, uint64_t stride)
{
    int wrong = 0;
    uint64_t whole;
    uint64_t steps;
    run(story, 0, 0, 0, &wrong, &whole);
    EQUAL(wrong, 0, "the story, with memory");
    OK(whole > 60, "is a long one");
    for (uint64_t nth = 1; nth <= allocations; nth++) {
        for (uint64_t step = 1; step <= whole; step += stride)
            run(story, step, nth, 0, &wrong, &steps);
        EQUAL(wrong, 0, "with one allocation failing, in each step of it");
    }
    for (uint64_t step = 1; step <= whole; step += stride)
        run(story, step, 1, 1, &wrong, &steps);
    EQUAL(wrong, 0, "with all of them failing");
}

int main(void)
{
    tell_with_failures(tell_story, 10, 1);
    tell_with_failures(tell_changes, 4, 3);
    return tap_done();
}
