/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The messages that were delivered to a task and not yet received, oldest first.
 *
 * Few messages are a list that is walked. A receive that would have to walk far has an index made
 * for its shape (client/queue_index.h); it is kept up until few messages are left. The index only
 * finds what the list holds: without memory for it the list is walked, and nothing is lost.
 *
 * Who pushes must tell by queue_changed() when it changes source, tag or context of a message that
 * waits.
 */
#ifndef CLIENT_QUEUE_H
#define CLIENT_QUEUE_H

#include "client/msg.h"

enum {
    /* A receive looks at so many messages before it asks for an index. */
    QUEUE_WALK_MAX = 32,
    /* With fewer messages an index is given up: far enough below, so that a queue whose length goes
     * up and down does not make one again and again. */
    QUEUE_INDEX_MIN = 8,
    /* A message that comes late is put before at most so many that were sent after it. */
    QUEUE_BACK_MAX = 64
};

struct queue_index;

struct queue {
    struct list messages; /* by struct msg.link */
    size_t count;
    struct queue_index *index; /* NULL = few wait, nobody looked far, or no memory */
    uint64_t steps;            /* messages and lists looked at beyond the first, for tests */
};

/* An empty queue owns no memory: there is nothing to end. */
void queue_init(struct queue *queue);

/* True when the message's fields are as asked for, -1 = any. */
static inline bool queue_matches(const struct msg *msg, int source, int tag, int context)
{
    return (source == -1 || msg->source == source) && (tag == -1 || msg->tag == tag) &&
           (context == -1 || msg->context == context);
}

/* What queue_push(), queue_find() and queue_take() do when it is not the first message or there is
 * an index: these three are for a queue that has one message at a time. */
void queue_push_behind(struct queue *queue, struct msg *msg);
struct msg *queue_find_behind(struct queue *queue, int source, int tag, int context);
void queue_take_indexed(struct queue *queue, struct msg *msg);

static inline void queue_unlink(struct queue *queue, struct msg *msg)
{
    list_remove(&msg->link);
    msg->is_queued = false;
    queue->count--;
}

/* Puts |msg| at the end, and sets its is_queued. The queue links it, nothing more: whoever takes it
 * owns it. If it has a time and the last ones have a later one and come from other tasks, it goes
 * before them; never before one of its own source, nor before one without a time. */
static inline void queue_push(struct queue *queue, struct msg *msg)
{
    if (!list_is_empty(&queue->messages)) {
        queue_push_behind(queue, msg);
        return;
    }
    list_push_back(&queue->messages, &msg->link);
    msg->is_queued = true;
    queue->count = 1;
}

/* As queue_push(), for a message that was held back while others were pushed: goes before those of
 * its source that were sent later, and before notices of the daemon that came since. May have to
 * look at all. */
void queue_push_late(struct queue *queue, struct msg *msg);

/* The oldest message of |source|, |tag| and |context|, -1 = any; it stays. NULL = none. */
static inline struct msg *queue_find(struct queue *queue, int source, int tag, int context)
{
    if (list_is_empty(&queue->messages))
        return NULL;
    struct msg *first = LIST_ENTRY(queue->messages.next, struct msg, link);
    return queue_matches(first, source, tag, context)
               ? first
               : queue_find_behind(queue, source, tag, context);
}

/* Unlinks |msg|, which waits in |queue|. */
static inline void queue_take(struct queue *queue, struct msg *msg)
{
    if (queue->index)
        queue_take_indexed(queue, msg);
    else
        queue_unlink(queue, msg);
}

/* Searches walk again, until one has to walk far. */
void queue_index_drop(struct queue *queue);

/* |msg|, if it waits, was given another source, tag or context. */
static inline void queue_changed(struct queue *queue, const struct msg *msg)
{
    if (msg->is_queued)
        queue_index_drop(queue);
}

#endif
