/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames between the client layer and the daemon's socket. What is about shared memory is taken out
 * on the way, and what must not overtake the daemon's own pair waits for it (docs/datapath.md,
 * "Order, ends and deaths").
 */
#include "libpvm/link.h"

#include "libpvm/pairs.h"

#include "pvm3.h"

enum { SEND_PIECES = 64 };

struct link task_link;

int link_descriptor(void)
{
    return task_link.xport ? task_link.xport->ops->descriptor(task_link.xport) : -1;
}

void link_close(struct xport *xport)
{
    if (xport)
        xport->ops->close(xport);
    if (task_link.has_held)
        frame_drop(&task_link.held);
    task_link.has_held = false;
}

/* ---- in ---- */

/* A control message is for the client layer unless it is about shared memory; the answer to
 * enrolment is for both. */
static int feed_control(struct client *client, const struct frame *frame)
{
    struct arena arena;
    struct message message;
    arena_init(&arena);
    int status = 0;
    if (message_decode(frame->body.data, frame->body.length, &arena, &message) < 0)
        message.type = MESSAGE_NONE; /* the client layer counts it */
    else
        status = pairs_control(&message, task_link.xport);
    if (status == 0)
        status = client_feed(client, frame);
    if (status == 0 && message.type == TM_ENROLLED && message.tm_enrolled.status >= 0)
        pairs_enrolled(client, message.tm_enrolled.share_index);
    arena_fini(&arena);
    return status < 0 ? status : 0;
}

static int feed(struct client *client, const struct frame *frame)
{
    if (frame->kind == FRAME_CONTROL)
        return feed_control(client, frame);
    if ((frame->kind == FRAME_NOTICE || frame->kind == FRAME_ABORT) && pairs_glance.is_open) {
        const int status = news_drain_daemon();
        if (status < 0)
            return status;
    }
    return client_feed(client, frame);
}

int link_pump(struct client *client)
{
    /* What came before a loss is looked at before the loss is: an answer, a refusal, a message. */
    for (int came = 0;; came = 1) {
        struct link *link = &task_link;
        if (!link->xport)
            return PvmSysErr;
        if (!link->has_held) {
            const enum xport_result got = link->xport->ops->receive(link->xport, &link->held);
            if (got == XPORT_AGAIN)
                return came;
            if (got == XPORT_NO_MEMORY)
                return PvmNoMem;
            if (got != XPORT_OK)
                return came ? 1 : PvmSysErr;
            link->has_held = true;
        }
        const int status = feed(client, &link->held);
        if (status < 0)
            return status;
        frame_drop(&link->held);
        link->has_held = false;
    }
}

/* ---- out ---- */

int link_push(struct client *client)
{
    struct xport *xport = task_link.xport;
    for (;;) {
        if (client_out_is_empty(client)) {
            if (!pairs_glance.has_work)
                return 0;
            /* Its frames are the next to go, as their descriptors want. */
            pairs_work(xport);
            if (client_out_is_empty(client))
                return 0;
        }
        struct client_piece pieces[SEND_PIECES];
        size_t sent;
        const size_t count = client_out_pieces(client, pieces, SEND_PIECES);
        const enum xport_result result = xport->ops->send(xport, pieces, count, &sent);
        if (result == XPORT_AGAIN)
            return 0;
        if (result != XPORT_OK)
            return PvmSysErr;
        client_out_sent(client, sent);
    }
}
