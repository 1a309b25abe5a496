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
/* Lets the allocator keep what a burst of datagrams needed (up to 16 MiB): the buffers of the next
 * one would else cost a page fault for each of their pages, a fifth of what moving their bytes
 * costs. */
void limits_keep_heap(void);
/* Raises the soft limit of open files to the hard one. Returns the new limit. */
uint64_t limits_raise_files(void);
/* In a child before exec: the limit as it was before limits_raise_files(). Async-signal-safe. */
void limits_restore_files(void);

#endif
