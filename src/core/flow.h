/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes on their way to other hosts, by flow (source, destination): a task with more than
 * flow_window_bytes unacknowledged in any flow is not read from, a child whose sink is as slow is
 * not read either. So a daemon holds a bounded amount, whatever tasks do.
 */
#ifndef CORE_FLOW_H
#define CORE_FLOW_H

#include "core/state.h"

struct flow {
    uint64_t peer;
    uint32_t source;
    uint32_t destination;
    uint64_t unacked_bytes;
    bool is_over; /* above the window; below half of it, no longer */
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
