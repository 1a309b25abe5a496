/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames to many: from a task to its daemon one FRAME_MCAST with the list of receivers, from there
 * one copy for each host, dealt out there as ordinary data with the same body and no copy. The list
 * comes with the first fragment; it is remembered, by the sender's number, until the last.
 */
#ifndef CORE_MCAST_H
#define CORE_MCAST_H

#include "core/state.h"

struct mcast_entry {
    uint32_t tid;
    uint64_t sequence;
};

struct mcast {
    struct list link;   /* sender->mcasts when it began here */
    uint32_t source;
    uint64_t number;
    uint64_t peer;      /* where it came from; 0 = here */
    struct mcast_entry *entries;
    size_t count;
};

/* False: it cannot be (and nothing was sent). */
bool mcast_from_task(struct node *node, struct task *task, const struct frame *frame);
/* A MCAST or ABORT frame for this daemon; takes over the reference to |credit|. */
void mcast_from_peer(struct node *node, uint64_t peer, const struct frame *frame,
                     struct credit *credit);
/* The multicasts that |sender| did not finish: their receivers are told. */
void mcasts_abort(struct node *node, struct sender *sender);
/* The same without a word: the node is coming to its end. */
void mcasts_drop(struct sender *sender);
/* What came from |peer| and is unfinished is forgotten. */
void mcasts_forget_peer(struct node *node, uint64_t peer);
void mcasts_fini(struct node *node);

#endif
