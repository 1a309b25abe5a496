/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A story being drawn: shared by swarm.c (parameters and phases), act.c (what tasks do) and
 * befall.c (what happens to hosts and the network). Nobody else needs it.
 */
#ifndef SIM_SWARM_STATE_H
#define SIM_SWARM_STATE_H

#include "sim/swarm.h"
#include "sim/task.h"

/* What a seed draws before anything happens. */
struct swarm_parameters {
    enum sim_mix mix;
    uint32_t hosts;
    uint32_t actions;        /* of tasks, in all */
    uint64_t pause_ns;       /* mean time between two of them */
    uint32_t large_ppm;      /* messages that are large */
    uint32_t loss_ppm, duplicate_ppm, reorder_ppm, corrupt_ppm;
    uint32_t burst_ppm;
    uint64_t burst_ns;
    uint64_t jitter_ns;
    uint64_t drift_ppm;
    uint64_t dead_after_ns;
    uint32_t fault_ppm;      /* chance that a step is a fault */
    uint32_t fault_count;    /* and how many there may be */
    bool wild;               /* faults may take the quorum for ever */
    bool same_address;
    bool shares;
};

struct swarm {
    struct sim_world *world;
    struct swarm_parameters drawn;
    struct rng *rng;
    uint32_t host_names;     /* h1..hN have been used */
};

/* Uniform in min..max. */
uint32_t swarm_draw(struct rng *rng, uint32_t min, uint32_t max);
/* A living task, or host, that can act; NULL = none. */
struct sim_task *swarm_any_task(struct swarm *swarm);
struct sim_host *swarm_any_host(struct swarm *swarm);
size_t swarm_task_count(const struct sim_world *world);

/* Some task does something. */
void swarm_act(struct swarm *swarm);
/* A user starts a task somewhere; |task| is not used. */
void swarm_enrol(struct swarm *swarm, struct sim_task *task);
/* Something strikes. False: what was drawn cannot be now. */
bool swarm_befall(struct swarm *swarm);

#endif
