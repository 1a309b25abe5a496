/* SPDX-License-Identifier: BSD-3-Clause */
/* The list, the walk, and when there is an index: see the header. */
#include "client/queue.h"

#include "client/queue_index.h"
#include "client/tids.h"

void queue_init(struct queue *queue)
{
    *queue = (struct queue){0};
    list_init(&queue->messages);
}

void queue_index_drop(struct queue *queue)
{
    queue_index_destroy(queue->index);
    queue->index = NULL;
}

/* The message after which |msg| goes. Order per pair is sacred (promise 1), order across senders is
 * as good as their clock and the bound allow. */
static struct list *place_by_time(struct queue *queue, const struct msg *msg)
{
    struct list *place = queue->messages.prev;
    for (int steps = 0; place != &queue->messages && steps < QUEUE_BACK_MAX; steps++) {
        const struct msg *other = LIST_ENTRY(place, struct msg, link);
        if (other->time <= msg->time || other->source == msg->source)
            break;
        queue->steps++;
        place = place->prev;
    }
    return place;
}

static void link_after(struct queue *queue, struct msg *msg, struct list *place)
{
    list_insert_between(&msg->link, place, place->next);
    msg->is_queued = true;
    queue->count++;
    if (queue->index && queue_index_add(queue->index, &queue->messages, msg, &queue->steps) < 0)
        queue_index_drop(queue);
}

void queue_push_behind(struct queue *queue, struct msg *msg)
{
    link_after(queue, msg, msg->time == 0 ? queue->messages.prev : place_by_time(queue, msg));
}

/* The message before which |msg| goes, NULL = at the end. Messages of a pair are numbered; a notice
 * has no number of the pair, but no message of the pair can have come before and be behind it. */
static struct list *first_overtaker(const struct queue *queue, const struct msg *msg)
{
    struct list *found = NULL;
    for (struct list *node = queue->messages.prev; node != &queue->messages; node = node->prev) {
        const struct msg *other = LIST_ENTRY(node, struct msg, link);
        if (other->source == msg->source && other->sequence <= msg->sequence)
            break;
        if (other->source == msg->source || other->source == (int)TID_DAEMON)
            found = node;
    }
    return found;
}

void queue_push_late(struct queue *queue, struct msg *msg)
{
    struct list *next = first_overtaker(queue, msg);
    if (!next)
        queue_push(queue, msg);
    else
        link_after(queue, msg, next->prev);
}

void queue_take_indexed(struct queue *queue, struct msg *msg)
{
    queue_index_remove(queue->index, msg);
    queue_unlink(queue, msg);
    if (queue->count < QUEUE_INDEX_MIN)
        queue_index_drop(queue);
}

/* The index is made by the first receive that cannot do without. 0, or -1 without memory. */
static int find_in_index(struct queue *queue, int source, int tag, int context, struct msg **msg)
{
    if (!queue->index)
        queue->index = queue_index_create(&queue->messages);
    if (!queue->index)
        return -1;
    const struct queue_key key = {source, tag, context};
    if (queue_index_find(queue->index, &queue->messages, &key, msg, &queue->steps) == 0)
        return 0;
    queue_index_drop(queue);
    return -1;
}

struct msg *queue_find_behind(struct queue *queue, int source, int tag, int context)
{
    const size_t walk_max = queue->index ? 1 : QUEUE_WALK_MAX;
    size_t walked = 1;
    for (struct list *node = queue->messages.next->next; node != &queue->messages;
         node = node->next) {
        struct msg *found;
        if (walked++ == walk_max && find_in_index(queue, source, tag, context, &found) == 0)
            return found;
        queue->steps++;
        found = LIST_ENTRY(node, struct msg, link);
        if (queue_matches(found, source, tag, context))
            return found;
    }
    return NULL;
}
