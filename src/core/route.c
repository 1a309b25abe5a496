/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a frame goes next: see the header. */
#include "core/route.h"

#include "base/mem.h"
#include "core/early.h"
#include "core/flow.h"
#include "core/mcast.h"
#include "core/member.h"

enum { ENCODING_XDR = 0x10000000, INT_BYTES = 4 };

/* ---- to a task of this host ---- */

/* Frames of a flow whose task is gone are consumed, and the flow is given up. */
static void deliver_nowhere(struct node *node, const struct frame *frame, struct credit *credit)
{
    node->counters.frames_dropped++;
    if (credit && credit->destination == frame->destination && peer_find(node, credit->peer)) {
        struct origin origin = {credit->peer, credit->source, credit->destination};
        credit_drop(node, credit);
        node_effect(node, EFFECT_PEER_RESET)->origin = origin;
        return;
    }
    credit_drop(node, credit);
}

static void deliver_later(struct node *node, struct task *task, const struct frame *frame,
                          struct credit *credit)
{
    struct pending_frame *pending = mem_calloc(1, sizeof(*pending));
    if (!pending) {
        credit_drop(node, credit);
        node_fatal(node, "no memory for a frame to a task");
        return;
    }
    pending->frame = frame_hold(frame);
    pending->credit = credit;
    list_push_back(&task->pending, &pending->link);
    node->queued_bytes += frame->is_lent ? 0 : FRAME_HEADER_BYTES + frame->body.length;
}

void route_deliver(struct node *node, const struct frame *frame, struct credit *credit)
{
    struct task *task = task_find(&node->tasks, frame->destination);
    if (task && task->state == TASK_CONNECTED)
        conn_send(node, task->conn, frame, credit);
    else if (task && (task->state == TASK_STARTING || task->state == TASK_STARTED))
        deliver_later(node, task, frame, credit);
    else
        deliver_nowhere(node, frame, credit);
}

static struct pending_frame *take_pending(struct node *node, struct task *task)
{
    struct list *first = list_first(&task->pending);
    if (!first)
        return NULL;
    struct pending_frame *pending = LIST_ENTRY(first, struct pending_frame, link);
    list_remove(first);
    if (!pending->frame.is_lent)
        node->queued_bytes -= FRAME_HEADER_BYTES + pending->frame.body.length;
    return pending;
}

void route_flush_pending(struct node *node, struct task *task)
{
    for (struct pending_frame *pending; (pending = take_pending(node, task));) {
        conn_send(node, task->conn, &pending->frame, pending->credit);
        frame_drop(&pending->frame);
        mem_free(pending);
    }
}

void route_drop_pending(struct node *node, struct task *task)
{
    for (struct pending_frame *pending; (pending = take_pending(node, task));) {
        credit_drop(node, pending->credit);
        frame_drop(&pending->frame);
        mem_free(pending);
    }
}

/* ---- from here to anywhere ---- */

void route_frame(struct node *node, const struct frame *frame)
{
    if (node_is_own_tid(node, frame->destination)) {
        route_deliver(node, frame, NULL);
        return;
    }
    const struct host *host = host_by_tid(&node->hosts, frame->destination);
    if (host && peer_find(node, host->info.epoch))
        flow_send(node, host->info.epoch, frame);
    else if (!early_hold(node, frame))
        node->counters.frames_dropped++;
}

/* Messages to dead tasks and unknown hosts vanish (API-47), as do those to daemons, which take
 * none. */
static bool send_data(struct node *node, struct conn *conn, const struct frame *frame)
{
    bool is_daemon = frame->destination & TID_DAEMON;
    if (!is_daemon && !tid_is_task(frame->destination))
        return false;
    switch (sender_note(conn->task->sender, frame)) {
    case SENDER_MALFORMED:
        return false;
    case SENDER_NO_MEMORY:
        node_fatal(node, "no memory for a message");
        return true;
    case SENDER_OK:
        break;
    }
    if (!is_daemon)
        route_frame(node, frame);
    return true;
}

void route_from_task(struct node *node, struct conn *conn, const struct frame *frame)
{
    struct task *task = conn->task;
    bool taken = false;
    if (!task || frame->source != task->tid) {
        conn_close(node, conn, "a frame that is not its own");
        return;
    }
    if (frame->kind == FRAME_DATA)
        taken = send_data(node, conn, frame);
    else if (frame->kind == FRAME_MCAST)
        taken = mcast_from_task(node, task, frame);
    if (!taken) {
        node->counters.task_malformed++;
        conn_close(node, conn, "a data frame that cannot be");
        return;
    }
    if (!frame->is_lent && node->queued_bytes > node->config.queue_bytes_max)
        conn_wait_for_queue(node, conn, frame->by_pair);
}

/* ---- from another host ---- */

/* A peer speaks for the tasks of its own host alone, but that it passes on multicasts. */
static bool may_speak_for(const struct node *node, uint64_t peer, const struct frame *frame)
{
    const struct host *host = host_by_tid(&node->hosts, frame->source);
    bool is_passed_on = (frame->destination & TID_DAEMON) && host_by_epoch(&node->hosts, peer);
    return host && (host->info.epoch == peer || is_passed_on);
}

void route_from_peer(struct node *node, const struct event *event)
{
    const struct frame *frame = &event->frame;
    uint64_t bytes = FRAME_HEADER_BYTES + frame->body.length;
    struct credit *credit =
        credit_create(event->peer, frame->source, frame->destination, bytes);
    if (!credit) {
        node_fatal(node, "no memory for a frame");
        return;
    }
    bool is_ours = node_is_own_tid(node, frame->destination);
    if (!is_ours || !may_speak_for(node, event->peer, frame)) {
        node->counters.peer_malformed++;
        credit_drop(node, credit);
    } else if (frame->destination & TID_DAEMON) {
        mcast_from_peer(node, event->peer, frame, credit);
    } else if (frame->kind == FRAME_DATA || frame->kind == FRAME_ABORT) {
        route_deliver(node, frame, credit);
    } else {
        node->counters.peer_malformed++;
        credit_drop(node, credit);
    }
}

/* ---- calling off ---- */

void route_abort_open(struct node *node, struct sender *sender)
{
    struct open_message open;
    while (sender_take_open(sender, &open)) {
        struct frame frame = {.kind = FRAME_ABORT, .source = sender->tid,
                              .destination = open.receiver, .sequence = open.sequence};
        route_frame(node, &frame);
    }
    mcasts_abort(node, sender);
}

void route_host_gone(struct node *node, uint32_t number)
{
    struct frame frame = {.kind = FRAME_ABORT, .source = tid_of_host(number)};
    TASKS_EACH(pos, following, &node->tasks) {
        frame.destination = TASK_OF(pos)->tid;
        route_deliver(node, &frame, NULL);
    }
}

/* ---- messages of the daemon ---- */

static struct slice message_body(struct wr *wr)
{
    struct slice body = {0};
    if (!wr->bad)
        body = slice_copy(wr->bytes, wr->length);
    wr_fini(wr);
    return body;
}

static void write_head(struct wr *wr, uint32_t context, int32_t tag, size_t length)
{
    struct message_head head = {
        .encoding = ENCODING_XDR, .tag = tag, .context = context, .length = length};
    message_head_write(wr, &head);
}

void route_own_message(struct node *node, uint32_t tid, uint32_t context, int32_t tag,
                       const void *bytes, size_t length)
{
    struct frame frame = {.kind = FRAME_DATA, .flags = FRAME_FIRST | FRAME_LAST,
                          .source = node_daemon_tid(node), .destination = tid};
    struct wr wr;
    wr_init(&wr);
    write_head(&wr, context, tag, length);
    wr_bytes(&wr, bytes, length);
    frame.body = message_body(&wr);
    frame.sequence = sender_last(node->own, tid) + 1;
    bool is_here = !node_is_own_tid(node, tid) || task_find(&node->tasks, tid);
    if (!frame.body.buf || (is_here && sender_note_complete(node->own, tid, frame.sequence) < 0))
        node_fatal(node, "no memory for a message of the daemon");
    else
        route_frame(node, &frame);
    frame_drop(&frame);
}

void route_notice(struct node *node, uint32_t tid, uint32_t source, uint64_t after,
                  uint32_t context, int32_t tag, const int32_t *ints, size_t count)
{
    struct frame frame = {.kind = FRAME_NOTICE, .flags = FRAME_FIRST | FRAME_LAST,
                          .source = TID_DAEMON, .destination = tid};
    struct wr wr;
    wr_init(&wr);
    wr_u32(&wr, source);
    wr_u64(&wr, after);
    write_head(&wr, context, tag, count * INT_BYTES);
    for (size_t i = 0; i < count; i++)
        wr_u32(&wr, (uint32_t)ints[i]);
    frame.body = message_body(&wr);
    if (frame.body.buf)
        route_deliver(node, &frame, NULL);
    else
        node_fatal(node, "no memory for a notice");
    frame_drop(&frame);
}
