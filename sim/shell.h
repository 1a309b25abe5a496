/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shell of one simulated daemon, of the same shape as src/pvmd: happenings become events, what
 * the node wants is performed by a table, the mesh is fed and pulled.
 */
#ifndef SIM_SHELL_H
#define SIM_SHELL_H

#include "sim/host.h"

/* Gives the node an event and performs what it wants; then what the mesh has to say. Takes over the
 * references in |event|. */
void sim_host_step(struct sim_host *host, struct event *event);
/* The same after |delay_ns|; strings and addresses in |event| must be static or live in the
 * host. */
void sim_host_step_later(struct sim_host *host, const struct event *event, uint64_t delay_ns);
/* Only the mesh: what it has to say, what it sends, when it wants to be called. */
void sim_host_settle(struct sim_host *host);
/* Called by the network. */
void sim_host_socket_readable(struct sim_world *world, struct sim_host *host);
void sim_host_receive(struct sim_world *world, struct sim_host *host,
                      const struct mesh_address *from, const uint8_t *bytes, size_t length);
/* The daemon's own timers and turns, for sim_host_create(). */
void sim_shell_init(struct sim_host *host);
/* None of them happens any more. */
void sim_shell_fini(struct sim_host *host);

#endif
