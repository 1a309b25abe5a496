/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulated resolver and the simulated starters of daemons: what ssh, local and by hand do in
 * life.
 *
 * The command line and the answer line go through core/answer.h in both directions, as they do in
 * life.
 */
#ifndef SIM_STARTER_H
#define SIM_STARTER_H

#include "core/effect.h"
#include "sim/host.h"

/* Performers of EFFECT_RESOLVE, EFFECT_HOST_START and EFFECT_HOST_CANCEL. Names that begin with
 * "nowhere" do not resolve; all others are the address of the place of that name. */
void sim_perform_resolve(struct sim_host *host, struct effect *effect);
void sim_perform_host_start(struct sim_host *host, struct effect *effect);
void sim_perform_host_cancel(struct sim_host *host, struct effect *effect);
/* The daemon is gone: nobody waits for its starts. */
void sim_starts_fini(struct sim_host *host);

#endif
