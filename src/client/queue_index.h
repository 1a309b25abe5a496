/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finds the oldest of many waiting messages without looking at the others. Part of client/queue.h,
 * which alone uses it.
 *
 * What a receive leaves open (source, tag, context: any of them may be -1) is its shape. For each
 * shape that was asked for, every message stands in the list of those that look the same to that
 * shape, oldest first, and a hash finds the list. A message enters a shape's lists once, so that
 * pushing, finding and taking cost the same for ten messages and for a million.
 *
 * The lists are numbers in arrays, not pointers in struct msg: a message that is received at once
 * carries none of it.
 */
#ifndef CLIENT_QUEUE_INDEX_H
#define CLIENT_QUEUE_INDEX_H

#include "client/msg.h"

struct queue_index;

struct queue_key {
    int source;
    int tag;
    int context; /* each -1 = any */
};

/* Of |messages| (struct msg.link), no shape yet. NULL without memory. */
struct queue_index *queue_index_create(const struct list *messages);
void queue_index_destroy(struct queue_index *index);

/* |msg| was linked into |messages|, anywhere. 0; -1 without memory: then the index is of no use
 * and must be destroyed. *steps grows by what was looked at, here and below. */
int queue_index_add(struct queue_index *index, const struct list *messages, struct msg *msg,
                    uint64_t *steps);
/* |msg| is about to be unlinked. It may have other fields than it had when added. */
void queue_index_remove(struct queue_index *index, const struct msg *msg);

/* *msg: the oldest that matches, or NULL. The first call of a shape goes through |messages|.
 * 0; -1 as above. |key| leaves not everything open. */
int queue_index_find(struct queue_index *index, const struct list *messages,
                     const struct queue_key *key, struct msg **msg, uint64_t *steps);

#endif
