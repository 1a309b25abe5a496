/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hours in which nobody may be removed: the command `pvmsim quiet`. Many hosts, a wire that loses
 * bursts, machines that are dark, stopped or starved for a while, but none silent for longer than
 * 3.5 s in all. Counts who is removed all the same.
 */
#ifndef SIM_QUIET_H
#define SIM_QUIET_H

#include <stdint.h>

struct sim_quiet_order {
    uint64_t seed;
    uint32_t hosts;
    double virtual_hours;
    uint64_t drift_ppm; /* clocks run so much fast or slow at most */
};

struct sim_quiet_result {
    double virtual_hours;
    uint64_t blackouts, stops, starvations; /* how many there were */
    uint64_t datagrams, lost;
    uint64_t removals;  /* must be 0, */
    uint64_t rejoins;   /* and this too: hosts that gave themselves up */
    uint64_t leaders;   /* changes of the master */
    uint64_t broken;    /* promises */
};

void sim_quiet_run(const struct sim_quiet_order *order, struct sim_quiet_result *result);

#endif
