/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Something that happens at a time in the simulated world. It is embedded in the struct it
 * concerns; |run| finds that by CONTAINER_OF. Queued by sim_at(), see world.h.
 */
#ifndef SIM_EVENT_H
#define SIM_EVENT_H

#include "base/heap.h"
#include "base/list.h"

#include <stdbool.h>

struct sim_host;
struct sim_world;

/* An event of a host that is stopped waits until it goes on, of one that is gone never happens:
 * then |cancel| is called (both are called with the event unqueued, and may free it). */
struct sim_event {
    struct heap_node heap;
    struct list held; /* in the queue of a stopped host */
    struct sim_host *host; /* whose daemon this is done by; NULL = the world's */
    bool by_machine; /* not by the daemon but by another process: goes on while that is stopped */
    void (*run)(struct sim_world *world, struct sim_event *event);
    void (*cancel)(struct sim_event *event); /* may be NULL: embedded in something that lives on */
};

#endif
