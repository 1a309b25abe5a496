/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guardian: a small process beside each daemon that outlives it by a moment (decisions D11 and
 * D12, docs/faults.md).
 *
 * What it needs to know stands in memory that it shares with the daemon: which processes belong to
 * that, what to tell which other daemons, until when anything may act here. So telling it costs no
 * call of the system and does not wake it, and it has all of it whenever the daemon stops, in the
 * middle of whatever.
 *
 * - The daemon is gone without having said so: its processes and their descendants are killed, the
 *   tombstones go out, `here` goes to another daemon, the files go. Nothing of this host acts any
 *   more when the others hear of it, so nobody gets a last word.
 * - The lease is over and no later one was told: its processes are killed. A daemon that runs has
 *   seen the same and ends its lease by itself; one that has not is killed, and then as above.
 * - The daemon ended in order: what still runs gets SIGTERM and SIGKILL a second later.
 *
 * It shares the lock of the directory, so that nobody moves in before it is done. The inside of the
 * process: pvmd/ward.c.
 */
#ifndef PVMD_GUARDIAN_H
#define PVMD_GUARDIAN_H

#include "base/map.h"
#include "os/dir.h"
#include "os/netif.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    GUARDIAN_TOMBSTONES_MAX = 32,
    GUARDIAN_TOMBSTONE_BYTES_MAX = 64,
    GUARDIAN_PIDS_MAX = 65536 /* those beyond are found by their environment alone */
};

/* A sealed datagram that says that this daemon is dead. */
struct guardian_tombstone {
    struct net_address to;
    uint32_t length;
    uint8_t bytes[GUARDIAN_TOMBSTONE_BYTES_MAX];
};

struct guardian_shared;

struct guardian {
    pid_t pid;
    int fd; /* its end is the daemon's end; -1 = there is no guardian */
    const struct host_dir *dir;
    bool keep_log;
    struct guardian_shared *shared;
    struct map slots; /* pid -> its place in |shared| */
};

/* Forks it. To be called before there are threads and before the loop exists. 0, or -1 with errno:
 * then there is none, and all other calls do nothing. |dir| must stay. */
int guardian_start(struct guardian *guardian, const struct host_dir *dir, bool keep_log);
/* It was killed and reaped: forks another one, which knows what the first knew. 0, or -1 with errno
 * (it may be tried again). */
int guardian_restart(struct guardian *guardian);
/* |pid| belongs to the daemon / was reaped. -1 without memory. */
int guardian_tell(struct guardian *guardian, pid_t pid, bool runs);
/* Replaces all tombstones; those above the limit are left out. */
void guardian_set_tombstones(struct guardian *guardian, const struct guardian_tombstone *tombstones,
                             size_t count);
/* Everything here ends at |until_ns| (os/clock.h); UINT64_MAX = never. */
void guardian_set_lease(struct guardian *guardian, uint64_t until_ns);
/* The daemon ends in order and has removed its files: the guardian ends what still runs. Waits for
 * it, for a few seconds at most. */
void guardian_finish(struct guardian *guardian);

#endif
