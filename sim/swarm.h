/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stories drawn from a seed: first the parameters (how many hosts, how bad the wire, what the tasks
 * do, which faults strike), then the run. Safety first, with all faults at work; then liveness:
 * everything is healed, and the world must come to rest within a bound.
 */
#ifndef SIM_SWARM_H
#define SIM_SWARM_H

#include "sim/script.h"

/* What a seed may draw from. */
#define SIM_MIX_TABLE(M)                                                                          \
    M(SIM_MIX_CALM, "calm")       /* no faults of hosts, a sound wire */                          \
    M(SIM_MIX_WIRE, "wire")       /* loss, duplicates, reordering; nobody dies of it */           \
    M(SIM_MIX_CRASHES, "crashes") /* hosts and daemons die, stand still; starts fail */           \
    M(SIM_MIX_SPLITS, "splits")   /* the network falls apart in every way */                      \
    M(SIM_MIX_ANY, "any")         /* one of these */

enum sim_mix {
#define SIM_MIX_ENUM(name, text) name,
    SIM_MIX_TABLE(SIM_MIX_ENUM)
#undef SIM_MIX_ENUM
    SIM_MIXES
};

struct sim_swarm_result {
    enum sim_verdict verdict;
    uint64_t hash;
    uint64_t events;
    uint64_t messages;
    uint64_t notices;
    uint64_t answers;
    bool ended;        /* wild: no quorum was left, and everybody ended */
    uint64_t removals; /* of hosts that ran */
    uint64_t virtual_ns;
    char reason[512];
    char parameters[256]; /* what was drawn, in words */
};

/* Runs one seed. |write| (may be NULL) gets the lines of the classes in |shown|. */
void sim_swarm_run(uint64_t seed, enum sim_mix mix, uint32_t shown,
                   void (*write)(void *context, const char *line), void *context,
                   struct sim_swarm_result *result);
/* 0, or -1 for an unknown name. */
int sim_mix_parse(const char *name, enum sim_mix *mix);
const char *sim_mix_name(enum sim_mix mix);

#endif
