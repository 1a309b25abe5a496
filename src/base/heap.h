/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Min-heap of intrusive nodes ordered by (key, order of insertion): timers, the simulator's events.
 *
 * The sequence number makes equal keys come out first in, first out, on every machine: runs repeat.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

#define HEAP_NOT_QUEUED SIZE_MAX

struct heap_node {
    uint64_t key;      /* usually a time in nanoseconds */
    uint64_t sequence; /* set by the heap */
    size_t position;   /* HEAP_NOT_QUEUED when in no heap; set by heap_node_init() */
};

struct heap {
    struct heap_node **nodes;
    size_t count;
    size_t capacity;
    uint64_t next_sequence;
};

void heap_init(struct heap *heap);
/* Frees the heap's own array, not the nodes. */
void heap_fini(struct heap *heap);
void heap_node_init(struct heap_node *node);
/* Queues |node| at |key|; a queued node is moved. Returns 0, or -1 without memory (nothing changed;
 * moving a queued node never fails). */
int heap_set(struct heap *heap, struct heap_node *node, uint64_t key);
/* Takes |node| out; harmless when it is not queued. */
void heap_remove(struct heap *heap, struct heap_node *node);
/* The node with the smallest key, or NULL. It stays queued. */
struct heap_node *heap_first(const struct heap *heap);

#endif
