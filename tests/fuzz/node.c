/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes a machine of two hosts through what tasks and daemons say to it. The input is a list of acts:
 * one byte what, two bytes length, bytes. No act may crash a daemon; in the end everything is given back.
 */
#include "base/check.h"
#include "fake.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum act {
    ACT_TASK_CONTROL,  /* a control message of the task on host 0 */
    ACT_TASK_DATA,     /* flags, destination, sequence, body */
    ACT_TASK_MCAST,    /* flags, number, body */
    ACT_TO_MASTER,     /* a message of host 1 to the master */
    ACT_TO_OTHER,      /* a message of the master to host 1 */
    ACT_FRAME,         /* kind, flags, destination, sequence, body: from host 1 to the master */
    ACT_PRINT,         /* a child prints */
    ACT_EXIT,          /* a child ends */
    ACT_WAIT,          /* a second passes */
    ACTS
};

static uint32_t destination(const struct fake *fake, uint8_t which)
{
    static const uint32_t fixed[] = {0x40099, 0x80001, 0x80040000, 0x80080000, 0, 0x40000001};
    return which & 1 ? fake->tasks[which / 2 % 2].tid : fixed[which / 2 % ARRAY_LEN(fixed)];
}

static struct frame read_frame(struct rd *rd, const struct fake *fake, enum frame_kind kind)
{
    struct frame frame = {.kind = kind, .flags = rd_u8(rd) & 3};
    frame.destination = destination(fake, rd_u8(rd));
    frame.sequence = rd_u8(rd);
    size_t left = rd_left(rd);
    frame.body = slice_copy(rd_bytes(rd, left), left);
    return frame;
}

static void act_task(struct fake *fake, enum act act, struct rd *rd)
{
    static const enum frame_kind kinds[] = {FRAME_CONTROL, FRAME_DATA, FRAME_MCAST};
    struct fake_task *task = &fake->tasks[0];
    struct frame frame = {.kind = FRAME_CONTROL};
    if (!task->is_open)
        return;
    if (act == ACT_TASK_CONTROL)
        frame.body = slice_copy(rd->at, rd_left(rd));
    else
        frame = read_frame(rd, fake, kinds[act]);
    frame.source = task->tid;
    fake_send_frame(fake, task, &frame);
    frame_drop(&frame);
}

static void act_peer(struct fake *fake, enum act act, struct rd *rd)
{
    int to = act == ACT_TO_OTHER ? 1 : 0;
    struct event event = {.kind = EVENT_PEER_MESSAGE, .peer = fake->nodes[1 - to].epoch};
    if (act == ACT_FRAME) {
        static const enum frame_kind kinds[] = {FRAME_DATA, FRAME_MCAST, FRAME_ABORT, FRAME_NOTICE};
        event.kind = EVENT_PEER_FRAME;
        event.frame = read_frame(rd, fake, kinds[rd_u8(rd) % ARRAY_LEN(kinds)]);
        event.frame.source = event.frame.sequence % 3 ? fake->tasks[1].tid : 0x80080000;
    } else {
        event.bytes = slice_copy(rd->at, rd_left(rd));
    }
    fake_event(fake, to, &event);
    slice_drop(&event.bytes);
    frame_drop(&event.frame);
}

static void perform_act(struct fake *fake, enum act act, struct rd *rd)
{
    struct fake_child *child = fake_child_of(fake, 0);
    if (act <= ACT_TASK_MCAST)
        act_task(fake, act, rd);
    else if (act <= ACT_FRAME)
        act_peer(fake, act, rd);
    else if (act == ACT_PRINT && child && child->is_running)
        fake_print(fake, child, "line\n");
    else if (act == ACT_EXIT && child)
        fake_exit(fake, child);
    else if (act == ACT_WAIT)
        fake_advance(fake, UINT64_C(1000000000));
    fake_run(fake);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake *fake = fake_create("");
    struct rd input = rd_init(data, size);
    fake_machine(fake, 2);
    fake_task(fake, 1, 0, 0);
    for (int acts = 0; acts < 64 && rd_left(&input) >= 3; acts++) {
        enum act act = rd_u8(&input) % ACTS;
        size_t length = rd_u16(&input);
        length = MIN_OF(length, rd_left(&input));
        struct rd one = rd_init(input.at, length);
        rd_bytes(&input, length);
        perform_act(fake, act, &one);
    }
    fake_advance(fake, UINT64_C(5000000000));
    fake_destroy(fake);
    CHECK(buf_live_count() == 0);
    return 0;
}
