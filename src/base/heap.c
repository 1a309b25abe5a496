/* SPDX-License-Identifier: BSD-3-Clause */
/* Binary min-heap of intrusive nodes: see the header. */
#include "base/heap.h"

#include "base/check.h"
#include "base/mem.h"

void heap_init(struct heap *heap)
{
    *heap = (struct heap){0};
}

void heap_fini(struct heap *heap)
{
    mem_free(heap->nodes);
    heap_init(heap);
}

void heap_node_init(struct heap_node *node)
{
    *node = (struct heap_node){.position = HEAP_NOT_QUEUED};
}

static int heap_before(const struct heap_node *a, const struct heap_node *b)
{
    return a->key != b->key ? a->key < b->key : a->sequence < b->sequence;
}

static void heap_place(struct heap *heap, struct heap_node *node, size_t position)
{
    heap->nodes[position] = node;
    node->position = position;
}

static void heap_sift_up(struct heap *heap, struct heap_node *node)
{
    size_t at = node->position;
    while (at > 0 && heap_before(node, heap->nodes[(at - 1) / 2])) {
        heap_place(heap, heap->nodes[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    heap_place(heap, node, at);
}

static void heap_sift_down(struct heap *heap, struct heap_node *node)
{
    size_t at = node->position;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && heap_before(heap->nodes[child + 1], heap->nodes[child]))
            child++;
        if (!heap_before(heap->nodes[child], node))
            break;
        heap_place(heap, heap->nodes[child], at);
        at = child;
    }
    heap_place(heap, node, at);
}

int heap_set(struct heap *heap, struct heap_node *node, uint64_t key)
{
    if (node->position == HEAP_NOT_QUEUED) {
        if (mem_grow((void **)&heap->nodes, &heap->capacity, heap->count + 1,
                     sizeof(heap->nodes[0])) < 0)
            return -1;
        heap_place(heap, node, heap->count++);
    }
    node->key = key;
    node->sequence = heap->next_sequence++;
    heap_sift_up(heap, node);
    heap_sift_down(heap, node);
    return 0;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    if (node->position == HEAP_NOT_QUEUED)
        return;
    size_t hole = node->position;
    CHECK(hole < heap->count && heap->nodes[hole] == node);
    struct heap_node *last = heap->nodes[--heap->count];
    node->position = HEAP_NOT_QUEUED;
    if (last == node)
        return;
    heap_place(heap, last, hole);
    heap_sift_up(heap, last);
    heap_sift_down(heap, last);
}

struct heap_node *heap_first(const struct heap *heap)
{
    return heap->count ? heap->nodes[0] : NULL;
}
