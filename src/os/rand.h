/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random bytes of the system, fit for keys and cookies. Not for chance in timers: that is
 * base/rng.h.
 */
#ifndef OS_RAND_H
#define OS_RAND_H

#include <stddef.h>
#include <stdint.h>

/* 0, or -1 when the system gives none. */
int rand_fill(void *bytes, size_t length);
/* The same in the shape the pure layers ask for. Ends the process when the system gives no random
 * bytes: a daemon without them would make keys that others can guess. */
void rand_bytes(void *context, uint8_t *bytes, size_t length);
uint64_t rand_u64(void);

#endif
