/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a frame goes next: to a task of this host, over a flow to another host, or nowhere. Frames
 * to many: core/mcast.h. What is not read meanwhile: core/conn.h and core/flow.h.
 */
#ifndef CORE_ROUTE_H
#define CORE_ROUTE_H

#include "core/state.h"

/* A data frame of the task on |conn|; what cannot be closes the connection. */
void route_from_task(struct node *node, struct conn *conn, const struct frame *frame);
/* EVENT_PEER_FRAME. */
void route_from_peer(struct node *node, const struct event *event);
/* To the task frame->destination of this host, or, when there is none, nowhere; takes over the
 * reference to |credit|. */
void route_deliver(struct node *node, const struct frame *frame, struct credit *credit);
/* A frame from this host to frame->destination, wherever that is. */
void route_frame(struct node *node, const struct frame *frame);
/* What waited for |task| to enrol: to its connection, or nowhere. */
void route_flush_pending(struct node *node, struct task *task);
void route_drop_pending(struct node *node, struct task *task);
/* The sender will finish none of its messages: their receivers are told. */
void route_abort_open(struct node *node, struct sender *sender);

/* A message of this daemon, |length| bytes of XDR, to a task anywhere (in the order of such). */
void route_own_message(struct node *node, uint32_t tid, uint32_t context, int32_t tag,
                       const void *bytes, size_t length);
/* A notice for the task |tid| of this host: |count| ints, to be given out after message |after| of
 * |source| (0, 0: at once). */
void route_notice(struct node *node, uint32_t tid, uint32_t source, uint64_t after,
                  uint32_t context, int32_t tag, const int32_t *ints, size_t count);
/* Host |number| is gone: says so to every task of this host (FRAME_ABORT of a host). */
void route_host_gone(struct node *node, uint32_t number);

#endif
