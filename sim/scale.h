/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a host costs, measured in virtual time at several sizes: the command `pvmsim scale`. The
 * table is for docs/reliability.md.
 */
#ifndef SIM_SCALE_H
#define SIM_SCALE_H

#include <stdbool.h>
#include <stdint.h>

struct sim_scale {
    uint32_t hosts;
    uint32_t tasks;
    bool complete;             /* all that was waited for happened */
    double burst_s;            /* from the call that adds all hosts until all know the same table */
    double spawn_s;            /* from the call that spawns all tasks until its answer */
    double exit_notice_ms;     /* end of a task, until the last of up to 50 hosts was told */
    double kill_notice_ms;     /* kill -9 of a daemon, likewise */
    double silence_notice_ms;  /* a host without power, likewise */
    double master_notice_ms;   /* kill -9 of the master's daemon, likewise */
    double idle_datagrams;     /* a second, of a host in the mean, */
    double idle_datagrams_max; /* of the one that sends most, */
    double idle_datagrams_master; /* and of the master */
    double idle_bytes;         /* a second, in the mean */
    double burst_datagrams_master; /* in and out of it, for each host added */
    double daemon_bytes;       /* of memory, for each host: daemon and what the world keeps of it */
    double events_per_s;       /* of real time */
    double real_s;
};

/* |bytes_now| tells how much memory the program has (0 = not known), |seconds| the real time. */
void sim_scale_run(uint32_t hosts, uint32_t tasks, uint64_t (*bytes_now)(void),
                   double (*seconds)(void), struct sim_scale *scale);

#endif
