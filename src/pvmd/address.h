/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One address in the three shapes the layers have for it: of the system (os/netif.h), of the links
 * (link/mesh.h), of messages (wire/msgs.h).
 */
#ifndef PVMD_ADDRESS_H
#define PVMD_ADDRESS_H

#include "link/mesh.h"
#include "os/netif.h"
#include "wire/msgs.h"

#include <string.h>

static inline struct mesh_address address_to_mesh(const struct net_address *from)
{
    struct mesh_address to = {.port = from->port, .scope_id = from->scope_id};
    memcpy(to.ip, from->ip, sizeof(to.ip));
    return to;
}

static inline struct net_address address_from_mesh(const struct mesh_address *from)
{
    struct net_address to = {.port = from->port, .scope_id = from->scope_id};
    memcpy(to.ip, from->ip, sizeof(to.ip));
    return to;
}

/* 0, or -1 when it is no address. */
static inline int address_from_wire(const struct wire_address *from, struct mesh_address *to)
{
    if (from->ip.length != sizeof(to->ip))
        return -1;
    memcpy(to->ip, from->ip.data, sizeof(to->ip));
    to->port = from->port;
    to->scope_id = from->scope_id;
    return 0;
}

/* The result points into |from|. */
static inline struct wire_address address_to_wire(const struct net_address *from)
{
    return (struct wire_address){.ip = {.data = from->ip, .length = sizeof(from->ip)},
                                 .port = from->port,
                                 .scope_id = from->scope_id};
}

#endif
