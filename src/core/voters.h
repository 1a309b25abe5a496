/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who should vote in the log: a pure rule of the host table and the voters of now (docs/faults.md).
 * Those who vote and stay in the machine go on; free places go to the hosts with the lowest numbers
 * that have caught up; a tie-holder that goes is replaced by the leader. Who carries it out:
 * core/master.c.
 */
#ifndef CORE_VOTERS_H
#define CORE_VOTERS_H

#include "core/host.h"
#include "log/log.h"

struct voters_wish {
    uint64_t ids[LOG_VOTERS_MAX];
    size_t count; /* 0 = nobody is left who could: no change */
    uint64_t tie;
};

/* What the rule asks about a host of the table. */
struct voters_judge {
    bool (*stays)(const void *context, uint64_t epoch);        /* nobody wants it to leave */
    bool (*is_caught_up)(const void *context, uint64_t epoch); /* it may be made a voter */
    const void *context;
};

struct voters_wish voters_choose(const struct host_table *table, const struct log_voters *now,
                                 uint64_t leader, const struct voters_judge *judge);
/* |now| is not what is wished, whatever the order. */
bool voters_differ(const struct log_voters *now, const struct voters_wish *wish);

#endif
