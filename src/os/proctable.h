/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Processes of this machine found by what they were started with: descendants of tasks whose daemon
 * is gone. Only where there is a /proc to read; elsewhere nothing is found.
 */
#ifndef OS_PROCTABLE_H
#define OS_PROCTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Calls |found| for each of our user's processes whose initial environment has both |marks| (whole
 * NAME=value strings, or prefixes that end in '='), zombies and ourselves left out. Returns how
 * many. */
size_t proctable_find(const char *const marks[2], void (*found)(void *context, pid_t pid),
                      void *context);
/* True while |pid| runs; a zombie does not. */
bool proctable_runs(pid_t pid);

#endif
