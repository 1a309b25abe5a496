/* SPDX-License-Identifier: BSD-3-Clause */
/* The heap of timers. */
#include "base/heap.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/rng.h"
#include "tap.h"

enum { NODES = 500 };

static struct heap_node nodes[NODES];

int main(void)
{
    struct heap heap;
    struct rng rng;
    heap_init(&heap);
    rng_seed(&rng, 1);
    for (int i = 0; i < NODES; i++) {
        heap_node_init(&nodes[i]);
        heap_set(&heap, &nodes[i], rng_below(&rng, 50));
    }
    for (int i = 0; i < NODES; i += 3)
        heap_set(&heap, &nodes[i], rng_below(&rng, 50));
    for (int i = 0; i < NODES; i += 7)
        heap_remove(&heap, &nodes[i]);
    heap_remove(&heap, &nodes[0]);
    uint64_t key = 0;
    uint64_t sequence = 0;
    int count = 0;
    int ordered = 1;
    for (struct heap_node *node; (node = heap_first(&heap)); count++) {
        ordered &= node->key > key || (node->key == key && node->sequence >= sequence);
        key = node->key;
        sequence = node->sequence;
        heap_remove(&heap, node);
    }
    OK(ordered, "smallest first, equal ones as they came");
    EQUAL(count, NODES - (NODES + 6) / 7, "all but the removed ones");
    EQUAL(nodes[5].position, HEAP_NOT_QUEUED, "taken out is not queued");
    heap_fini(&heap);
    mem_fail_at(1, 0);
    EQUAL(heap_set(&heap, &nodes[1], 1), -1, "no memory is told");
    OK(!heap_first(&heap), "and changes nothing");
    heap_fini(&heap);
    return tap_done();
}
