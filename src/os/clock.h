/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clocks. Monotonic time drives everything; wall time is for people and for pvm_hostsync()
 * alone.
 */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds since some fixed moment; never goes back. Where the system can, the time in which the
 * machine slept counts (CLOCK_BOOTTIME): a lease goes on while nobody runs (decision D12). */
uint64_t clock_now_ns(void);
/* The clockid_t behind it, for timers of the system. */
int clock_id(void);
/* Microseconds since 1970, UTC. */
uint64_t clock_wall_us(void);
/* "MM/DD HH:MM:SS" of now, local time, as in the daemon's log (DMN-10). */
void clock_stamp(char *text, size_t size_bytes);

/* |at_ns|; or, when that is more than half a second away, the next of the points a quarter of a
 * second apart that are the same for all of this machine: what would come one by one at about the
 * same time then wakes a process once. UINT64_MAX stays. */
uint64_t clock_coarse_ns(uint64_t at_ns);

#endif
