/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Intrusive doubly linked list. A node lives inside the struct it links; the list owns nothing.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/check.h"

struct list {
    struct list *next;
    struct list *prev;
};

static inline void list_init(struct list *head)
{
    head->next = head->prev = head;
}

static inline int list_is_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_insert_between(struct list *node, struct list *prev, struct list *next)
{
    node->prev = prev;
    node->next = next;
    prev->next = node;
    next->prev = node;
}

static inline void list_push_front(struct list *head, struct list *node)
{
    list_insert_between(node, head, head->next);
}

static inline void list_push_back(struct list *head, struct list *node)
{
    list_insert_between(node, head->prev, head);
}

/* Unlinks |node| and leaves it an empty list of its own, so that removing twice is harmless. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

static inline struct list *list_first(const struct list *head)
{
    return list_is_empty(head) ? NULL : head->next;
}

/* Moves all of |from| to the end of |head|; |from| is empty afterwards. */
static inline void list_splice_back(struct list *head, struct list *from)
{
    if (list_is_empty(from))
        return;
    from->next->prev = head->prev;
    head->prev->next = from->next;
    from->prev->next = head;
    head->prev = from->prev;
    list_init(from);
}

#define LIST_ENTRY(node, type, member) CONTAINER_OF(node, type, member)

/* Walks |head|; the current node may be removed from inside. */
#define LIST_EACH(pos, following, head)                                                           \
    for (struct list *pos = (head)->next, *following = pos->next; pos != (head);                  \
         pos = following, following = pos->next)

#endif
