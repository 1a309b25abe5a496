/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes a daemon's rules from the side of a task: a master with two connections gets frames with
 * any contents. The first connection enrols properly; the second is what the input makes it. The
 * input is a row of { connection and kind, length, bytes }.
 */
#include "base/check.h"
#include "base/mem.h"
#include "base/rng.h"
#include "core/node.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { SIGNATURE = 4230209, HEAD_FDS = 0x80, HEAD_ATTACHED = 0x40 };

struct shell {
    struct node *node;
    struct effects effects;
    struct rng rng;
    uint64_t now_ns;
};

static void random_bytes(void *context, uint8_t *bytes, size_t length)
{
    struct shell *shell = context;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)rng_next(&shell->rng);
}

static void step(struct shell *shell, struct event *event)
{
    shell->now_ns += 1000;
    event->now_ns = shell->now_ns;
    effects_reset(&shell->effects);
    node_step(shell->node, event, &shell->effects);
}

static void shell_open(struct shell *shell)
{
    struct node_config config = {.is_founder = true,
                                 .name = "h1",
                                 .arch = "LINUX64",
                                 .speed = 1000,
                                 .number = 1,
                                 .epoch = 77,
                                 .hostfile_name = "",
                                 .hostfile_text = "",
                                 .flow_window_bytes = 1 << 20,
                                 .queue_bytes_max = 1 << 24,
                                 .signature = SIGNATURE,
                                 .shares_memory = true,
                                 .join_timeout_ns = 1000000000,
                                 .random_bytes = random_bytes,
                                 .random_context = shell};
    *shell = (struct shell){.now_ns = 1000000000};
    rng_seed(&shell->rng, 1);
    effects_init(&shell->effects);
    shell->node = node_create(&config);
    CHECK(shell->node);
    step(shell, &(struct event){.kind = EVENT_START});
    for (uint64_t conn = 1; conn <= 2; conn++)
        step(shell, &(struct event){.kind = EVENT_CONN_OPENED, .conn = conn, .pid = 100});
}

static void conn_feed(struct shell *shell, uint64_t conn, struct frame *frame, uint32_t fds)
{
    struct event event = {.kind = EVENT_CONN_FRAME, .conn = conn, .fds = fds};
    if (frame_make_raw(frame) == 0) {
        event.frame = *frame;
        step(shell, &event);
    }
    frame_drop(frame);
}

static void enrol(struct shell *shell)
{
    struct message message = {.type = TM_ENROL};
    struct frame frame = {.kind = FRAME_CONTROL};
    struct wr wr;
    message.tm_enrol = (struct wire_tm_enrol){
        .version = PROTOCOL_TASK_VERSION, .pid = 100, .signature = SIGNATURE, .name = "good"};
    wr_init(&wr);
    message_encode(&wr, &message);
    CHECK(!wr.bad);
    frame.body = slice_copy(wr.bytes, wr.length);
    wr_fini(&wr);
    conn_feed(shell, 1, &frame, 0);
    CHECK(node_conn_tid(shell->node, 1) != 0);
}

/* A piece of the input as a frame: with the kind, flags, ends, descriptors and memory that its
 * first bytes say. */
static void piece_feed(struct shell *shell, uint8_t head, const uint8_t *piece, size_t length)
{
    uint32_t own = node_conn_tid(shell->node, 1 + (head & 1));
    struct frame frame = {.kind = (enum frame_kind)(1 + (head >> 1) % 5), .source = own};
    if (frame.kind != FRAME_CONTROL && length >= 2) {
        frame.flags = piece[0] & 3;
        frame.by_pair = piece[0] & 4;
        frame.is_lent = (piece[0] & 12) == 12;
        frame.sequence = piece[1];
        frame.destination = 0x40000u + (piece[1] & 7u);
        piece += 2;
        length -= 2;
    }
    frame.body = slice_copy(piece, length);
    conn_feed(shell, 1 + (head & 1), &frame, head & HEAD_FDS ? SHARE_FDS_COUNT : 0);
    if (head & HEAD_ATTACHED)
        step(shell, &(struct event){.kind = EVENT_SHARE_ATTACHED, .conn = 1 + (head & 1)});
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct shell shell;
    shell_open(&shell);
    enrol(&shell);
    while (size > 2) {
        size_t length = MIN_OF(size - 2, (size_t)bytes[1]);
        piece_feed(&shell, bytes[0], bytes + 2, length);
        if (node_deadline(shell.node) <= shell.now_ns)
            step(&shell, &(struct event){.kind = EVENT_DEADLINE});
        bytes += length + 2;
        size -= length + 2;
    }
    for (uint64_t conn = 1; conn <= 2; conn++)
        step(&shell, &(struct event){.kind = EVENT_CONN_CLOSED, .conn = conn});
    effects_reset(&shell.effects);
    effects_fini(&shell.effects);
    node_destroy(shell.node);
    CHECK(buf_live_count() == 0);
    return 0;
}
