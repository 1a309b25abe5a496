/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What this machine allows one daemon: memory and open descriptors.
 */
#ifndef OS_LIMITS_H
#define OS_LIMITS_H

#include <stdint.h>

/* Bytes of memory this process may count on: of the machine, or of its cgroup when that has less.
 */
uint64_t limits_memory_bytes(void);
/* Raises the soft limit of open files to the hard one. Returns the new limit. */
uint64_t limits_raise_files(void);
/* In a child before exec: the limit as it was before limits_raise_files(). Async-signal-safe. */
void limits_restore_files(void);

#endif
