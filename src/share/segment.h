/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of one process for others: making it, passing it, mapping another's. The only code of the
 * shared-memory route that calls the system, for the library and the daemon alike; Linux only
 * (memfd, seals, eventfd).
 *
 * A segment is a sparse memfd of fixed size, sealed against shrinking and growing, so that no
 * access inside it can fail but for lack of memory, and memory is populated before use. Mappings
 * are not inherited by fork() and not dumped; descriptors close on exec.
 */
#ifndef SHARE_SEGMENT_H
#define SHARE_SEGMENT_H

#include "shm/heap.h"
#include "shm/inbox.h"
#include "shm/pair.h"

#include <stdbool.h>
#include <stdint.h>

/* Segment (read only), inbox, bell: in this order in TM_ATTACH and TM_PEER. */
enum { SHARE_FDS = 3 };

/* ---- what this process owns ---- */

struct share_own {
    struct shm_header *header;
    struct shm_heap *heap;
    struct shm_inbox *inbox;
    uint64_t size_bytes;
    int fds[SHARE_FDS];          /* for passing on; fds[2] is the eventfd that wakes the owner */
    struct share_memory *memory; /* segment.c's own */
};

/* The most a segment may hold: half of the memory this process may use (machine, cgroup), at most
 * SHARE_LIMIT_MAX; PVM_SHM_LIMIT (bytes, suffixes k m g) says otherwise, 0 = no shared memory. */
#define SHARE_LIMIT_MAX (UINT64_C(64) << 30)
uint64_t share_limit_bytes(void);
/* 0, or -1 and errno: then there is no shared memory here, and *step says what failed ("memfd"). */
int share_own_create(struct share_own *own, uint64_t limit_bytes, const char **step);
/* Closes descriptors and the inbox; the segment goes when its last buffer is dropped. */
void share_own_close(struct share_own *own);
/* In the child of a fork(), where the mappings are not: closes the descriptors, frees nothing that
 * the child must not touch. */
void share_own_forget(struct share_own *own);

/* ---- another's ---- */

struct share_peer {
    struct shm_view view; /* .context and .gone are filled: they unmap */
    const struct shm_header *header;
    struct shm_inbox *inbox;
    int bell; /* eventfd; -1 = too many descriptors: wake through the daemon */
};

/* Takes over |fds| (also on failure): checks seals, size, magic and version, maps, closes what is
 * not needed. |keep_bell| false: the bell is closed. 0, or -1 and errno (EPROTO: not a segment as
 * it must be). */
int share_peer_open(struct share_peer *peer, const int fds[SHARE_FDS], bool keep_bell);
/* Unmaps the inbox and closes the bell; the view is unmapped by its gone(), or here when it was
 * never given to a pair. */
void share_peer_close(struct share_peer *peer, bool view_too);
/* Wakes the owner. */
void share_bell(int bell);

/* A clock that runs alike on all cores, cheap to read, at a rate of the machine's own; never 0. On
 * x86 the time stamp counter, which every machine of the last fifteen years runs at a constant rate
 * and in step; on ARM the virtual counter, which is so by definition. */
uint64_t share_ticks_slow(void);
static inline uint64_t share_ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_ia32_rdtsc() | 1;
#elif defined(__aarch64__)
    uint64_t count;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
    return count | 1;
#else
    return share_ticks_slow();
#endif
}

#endif
