/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many seeds, one after another or on several processors: the command `pvmsim seeds`. It works in
 * processes of its own, so that a seed that crashes the program is one that failed, and the others
 * go on. With a file for the state it goes on where it stopped the last time.
 */
#ifndef SIM_SEEDS_H
#define SIM_SEEDS_H

#include "sim/swarm.h"

struct sim_seeds_order {
    uint64_t from;
    uint64_t count;      /* UINT64_MAX = until the time is over */
    enum sim_mix mix;
    bool twice;          /* each runs two times, and must be the same */
    bool first;          /* stop at the first failure */
    bool hashes;         /* print a line with the hash of each */
    unsigned jobs;
    double minutes;      /* 0 = no limit */
    const char *state;   /* file; NULL = none */
    const char *program; /* for the line that repeats a failure */
};

/* Runs them and prints TAP: what failed with the command that repeats it, then the sums. The worst
 * verdict; a crash counts as SIM_UNSAFE. */
enum sim_verdict sim_seeds_run(const struct sim_seeds_order *order);

#endif
