/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The owner's allocator of its segment: blocks of seven sizes, given out as counted buffers.
 *
 * The segment is cut into areas of SHM_AREA_BYTES; an area holds blocks of one size, and returns to
 * the common stock when its last block is free. What is free was used last and is used first: warm.
 * Memory is populated before a block is first given out, so that its lack is an error and never a
 * signal; areas long free give it back (shm_heap_trim()). The book-keeping lies in private memory.
 * One thread at a time.
 */
#ifndef SHM_HEAP_H
#define SHM_HEAP_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SHM_AREA_BYTES = 1024 * 1024,
    SHM_BLOCK_BYTES_MIN = 256,        /* 256, 1 Ki, 4 Ki, 16 Ki, 64 Ki, 256 Ki, 1 Mi */
    SHM_BLOCK_BYTES_MAX = SHM_AREA_BYTES,
    SHM_BLOCK_SIZES = 7,
    SHM_TRIM_KEEP_BYTES = 256 * 1024 /* this much free memory is always kept */
};

struct shm_heap_ops {
    void *context;
    /* Makes the bytes at |offset| usable (whole pages). 0, or -1 without memory. */
    int (*populate)(void *context, uint64_t offset, uint64_t length);
    /* Gives their memory back; reading there may then yield anything. */
    void (*discard)(void *context, uint64_t offset, uint64_t length);
    /* After shm_heap_close(): the last buffer was dropped, the segment may be unmapped. The heap
     * itself is freed already. */
    void (*gone)(void *context);
};

struct shm_heap;

/* Over the |size_bytes| (a multiple of SHM_AREA_BYTES) at |base|. Of the first area the first
 * |reserved_bytes| (a power of two from 4096, populated by the caller) are never given out: the
 * header. At most |limit_bytes| are populated. NULL without memory. */
struct shm_heap *shm_heap_create(uint8_t *base, uint64_t size_bytes, uint64_t reserved_bytes,
                                 uint64_t limit_bytes, const struct shm_heap_ops *ops);
/* Nothing more is given out; calls gone() when every buffer is dropped, perhaps at once. */
void shm_heap_close(struct shm_heap *heap);

/* A buffer of the smallest size that holds |wanted| bytes, or of the largest. NULL: no memory, or
 * the limit. Its bytes are not initialised; aligned to its size up to 4096. Dropping the last
 * reference (base/buf.h) gives the block back. */
struct buf *shm_heap_get(struct shm_heap *heap, size_t wanted);
/* |data| lies in this segment. */
bool shm_heap_contains(const struct shm_heap *heap, const void *data);
static inline uint64_t shm_heap_offset(const uint8_t *base, const void *data)
{
    return (uint64_t)((const uint8_t *)data - base);
}
uint8_t *shm_heap_base(const struct shm_heap *heap);

/* Discards what has been free since before the last call but one, down to SHM_TRIM_KEEP_BYTES: to
 * be called before a long sleep and now and then (some tenths of a second apart). True: more would
 * go at the next calls. */
bool shm_heap_trim(struct shm_heap *heap);

struct shm_heap_stats {
    uint64_t used_bytes;      /* given out */
    uint64_t populated_bytes; /* memory held */
    uint64_t limit_bytes;
};
struct shm_heap_stats shm_heap_stats(const struct shm_heap *heap);

#endif
