/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a process finds the daemon of its user: PVMSOCK, or the names of architecture.md, "Names on
 * the machine". Only paths; connecting is task.c's.
 */
#ifndef LIBPVM_FIND_H
#define LIBPVM_FIND_H

#include <stddef.h>

enum { FIND_PATH_BYTES = 1024, FIND_PATHS_MAX = 2 };

struct find {
    char paths[FIND_PATHS_MAX][FIND_PATH_BYTES]; /* sockets to try, in this order */
    size_t count;
    char error[FIND_PATH_BYTES + 128]; /* why there is none */
};

/* Fills |find| from the environment. Directories of others, or open to others, are refused. */
void find_daemon(struct find *find);
/* `${PVM_TMP:-/tmp}`; the caller's memory. */
const char *find_tmp(void);

#endif
