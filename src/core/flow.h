/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes on their way to other hosts, by flow (source, destination): a task with more than
 * flow_window_bytes of our memory unacknowledged in any flow is not read from, a child whose sink
 * is as slow is not read either. So a daemon holds a bounded amount, whatever tasks do.
 *
 * What comes from a task that shares memory makes nobody wait here: a lent body is the sender's
 * memory, and small messages, which are copied, and what it sends before it shares count with all
 * else that waits in our memory (queue_bytes_max).
 */
#ifndef CORE_FLOW_H
#define CORE_FLOW_H

#include "core/state.h"

enum flow_kind {
    FLOW_READ,  /* our own, or came over a socket from a task that shares no memory */
    FLOW_SMALL, /* from one that does, and copied */
    FLOW_LENT,  /* lies in the memory of the sender */
    FLOW_KINDS
};

enum { FLOW_FRAME_COST = 384 }; /* what the books of a frame cost us besides its bytes */

/* Frames of one kind that were sent one after the other. */
struct flow_run {
    uint64_t bytes;
    uint64_t cost; /* FLOW_SMALL: of node->queued_bytes */
    enum flow_kind kind;
};

struct flow {
    uint64_t peer;
    uint32_t source;
    uint32_t destination;
    uint64_t unacked[FLOW_KINDS]; /* bytes */
    uint64_t cost;                /* of node->queued_bytes */
    struct flow_run *runs;        /* [first_run, run_count) of what is unacknowledged */
    size_t first_run;
    size_t run_count;
    size_t run_capacity;
    bool is_over; /* FLOW_READ above the window; below half of it, no longer */
};

/* Sends |frame| to |peer| over the flow (frame source, |destination|). */
void flow_send(struct node *node, uint64_t peer, const struct frame *frame);
/* This daemon's own flow to |destination| has more on its way than it should. */
bool flow_is_over(const struct node *node, uint64_t peer, uint32_t source, uint32_t destination);
/* All flows to |peer| are gone. */
void flows_forget_peer(struct node *node, uint64_t peer);
void flows_fini(struct node *node);

/* Events. */
void flow_acked(struct node *node, const struct event *event);
void flow_reset(struct node *node, const struct event *event);

#endif
