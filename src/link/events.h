/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Queued events of a mesh, each embedded in what it tells about: queueing one cannot fail.
 */
#ifndef LINK_EVENTS_H
#define LINK_EVENTS_H

#include "base/list.h"
#include "link/mesh.h"

struct link;

struct event_node {
    struct list node; /* in mesh.events; on its own when not queued */
    enum mesh_event_kind kind;
    struct link *link;
    void *owner; /* struct inframe, outflow, or NULL: by |kind| */
    uint32_t source, destination;
    bool is_orphan; /* what it was counted in is gone: taking it gives no credit back */
    const char *reason;
};

#endif
