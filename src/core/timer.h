/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deadlines of a node: each belongs to something and fires once. The table of what each kind does
 * is in core/node.c.
 */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include "base/heap.h"

enum timer_kind {
    TIMER_WAIT,     /* a request gets no answer */
    TIMER_JOIN,     /* the master did not call, or is to be asked again */
    TIMER_HALT,     /* tasks or hosts do not end */
    TIMER_ADD,      /* hosts being added do not come, or not all have applied the table */
    TIMER_PEER,     /* a host that was deleted has had its time to say goodbye */
    TIMER_MASTER,   /* a master that gives its place away may try again */
    TIMER_LINGER,   /* a task's socket is open though its process is gone */
    TIMER_COMMANDS, /* the master had no room for a request */
    TIMER_MCAST,    /* does everybody pass on what he is to? */
    TIMER_KINDS
};

struct timer {
    struct heap_node heap;
    enum timer_kind kind;
};

struct node;

static inline void timer_init(struct timer *timer, enum timer_kind kind)
{
    heap_node_init(&timer->heap);
    timer->kind = kind;
}

/* |at_ns| absolute. 0, or -1 without memory. */
int timer_set(struct node *node, struct timer *timer, uint64_t at_ns);
void timer_stop(struct node *node, struct timer *timer);

#endif
