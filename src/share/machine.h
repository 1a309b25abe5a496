/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What of this machine the process may use: memory and processors, as the machine, its cgroups
 * (version 1 and 2, with all those above them) and its affinity say. Files are read each time:
 * callers ask rarely and remember.
 */
#ifndef SHARE_MACHINE_H
#define SHARE_MACHINE_H

#include <stdint.h>

/* |root| is where proc and sys are found: "" outside of tests. */

/* Bytes of memory. */
uint64_t machine_memory_bytes(const char *root);
/* Processors this process may run on now: one system call. At least 1. */
unsigned machine_cpus_affine(void);
/* Whole processors that the quota of its cgroups allows, at least 1; UINT32_MAX: no quota. */
unsigned machine_cpus_quota(const char *root);

#endif
