/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulated guardian of a daemon: the small process beside it that outlives it
 * (docs/faults.md).
 *
 * It holds the tombstones that the daemon prepared, and the lease it was told last. When the daemon
 * is killed it ends the tasks, then sends the tombstones. When the lease passes and no later one
 * was told it ends the tasks at once, and a moment later the daemon too, if that does not show that
 * it knows. With the machine it stops and goes on; with the machine's power it is gone.
 */
#ifndef SIM_GUARD_H
#define SIM_GUARD_H

#include "link/mesh.h"
#include "sim/event.h"

#include <stddef.h>
#include <stdint.h>

struct sim_host;

struct sim_tombstone {
    struct mesh_address to;
    size_t length;
    uint8_t bytes[MESH_TOMBSTONE_BYTES_MAX];
};

struct sim_guard {
    uint64_t *peers;   /* whom to tell; */
    size_t peer_count;
    size_t peer_capacity;
    struct sim_tombstone *tombstones; /* of those with whom there is a session */
    size_t count;
    size_t capacity;
    bool is_stale;     /* a session changed: they are to be made anew */
    bool is_ending;    /* the lease is over and the tasks were ended */
    uint64_t lease_ns; /* by the machine's clock; UINT64_MAX = none */
    struct sim_event lease_turn;
    struct sim_event death_turn;
};

void sim_guard_init(struct sim_host *host);
/* EFFECT_TOMBSTONES: what the mesh makes for |peers| takes the place of what there was. */
void sim_guard_set_tombstones(struct sim_host *host, const uint64_t *peers, size_t count);
/* Makes them anew if they are stale. */
void sim_guard_renew(struct sim_host *host);
/* EFFECT_LEASE. */
void sim_guard_set_lease(struct sim_host *host, uint64_t until_ns);
/* The daemon was killed: in a moment tasks end and tombstones go. */
void sim_guard_daemon_died(struct sim_host *host);
/* The machine goes on after a stop: the guardian comes first, before any task does. */
void sim_guard_woke(struct sim_host *host);
/* Nothing more happens; frees. */
void sim_guard_fini(struct sim_host *host);

#endif
