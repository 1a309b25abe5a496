/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guardian: a small process beside each daemon that outlives it by a moment (decision D11).
 *
 * It is told which processes belong to the daemon. When the daemon is gone, however it went, it
 * ends them and their descendants: SIGTERM, SIGKILL a second later. After a crash it also removes
 * the directory, whose lock it shares, so that nobody moves in before it is done.
 */
#ifndef PVMD_GUARDIAN_H
#define PVMD_GUARDIAN_H

#include "os/dir.h"

#include <stdbool.h>
#include <sys/types.h>

struct guardian {
    pid_t pid;
    int fd; /* -1 = there is none */
};

/* Forks it. To be called before there are threads and before the loop exists. 0, or -1 with errno.
 */
int guardian_start(struct guardian *guardian, const struct host_dir *dir, bool keep_log);
/* |pid| belongs to the daemon / was reaped. -1 when the guardian is gone. */
int guardian_tell(struct guardian *guardian, pid_t pid, bool runs);
/* The daemon ends in order and has removed its files: the guardian ends what still runs. Waits for
 * it, for a few seconds at most. */
void guardian_finish(struct guardian *guardian);

#endif
