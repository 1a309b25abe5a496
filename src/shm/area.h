/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Private to the heap: an area of the segment, its blocks, and which of its pages hold memory.
 *
 * A block is given out, warm (free, all its pages populated), cold (free, perhaps not) or fresh
 * (behind |fresh|: not given out since the area got its size, its struct not written yet). Only the
 * bitmap |pages| says what is populated. heap.c gives out and takes back, sweep.c discards.
 */
#ifndef SHM_AREA_H
#define SHM_AREA_H

#include "base/list.h"
#include "shm/heap.h"

enum {
    PAGE_BYTES = 4096,
    AREA_PAGES = SHM_AREA_BYTES / PAGE_BYTES,
    PAGE_WORDS = AREA_PAGES / 64,
    RUN_BYTES_MAX = 65536 /* populated ahead of small blocks at most */
};

enum area_state { AREA_EMPTY, AREA_WARM, AREA_COLD, AREA_LISTS,
                  AREA_FULL = AREA_LISTS, AREA_UNUSED };

struct area;

struct block {
    struct buf buf;
    struct block *next; /* warm or cold: the next such block of the area */
    struct area *area;
    uint32_t freed_at; /* epoch */
};

struct area {
    struct list node; /* in heap->lists[size_index][state] or heap->unused */
    struct shm_heap *heap;
    uint64_t offset;
    struct block *blocks;
    uint32_t block_capacity; /* at |blocks| */
    enum area_state state;
    int size_index;
    uint32_t count;  /* blocks in the area */
    uint32_t used;   /* given out */
    uint32_t fresh;  /* the first that was not given out yet */
    uint32_t fresh_at; /* epoch in which |fresh| changed */
    uint32_t emptied_at;
    uint32_t populated_pages;
    struct block *warm;
    struct block *cold;
    uint64_t pages[PAGE_WORDS];
};

struct shm_heap {
    uint8_t *base;
    uint64_t size_bytes;
    uint64_t reserved_bytes;
    struct shm_heap_ops ops;
    uint64_t used_bytes;
    uint64_t populated_bytes;
    uint64_t limit_bytes;
    uint32_t epoch; /* calls of shm_heap_trim() */
    int is_closed;
    struct list lists[SHM_BLOCK_SIZES][AREA_LISTS];
    struct list unused; /* areas without a size */
    struct area **areas; /* in the order of their offsets; the rest was never used */
    size_t area_count;
    size_t area_capacity;
    size_t area_max;
};

static inline uint32_t block_bytes(int size_index)
{
    return (uint32_t)SHM_BLOCK_BYTES_MIN << (2 * size_index);
}

static inline int area_has_page(const struct area *area, uint32_t page)
{
    return (int)(area->pages[page / 64] >> (page % 64) & 1);
}

/* Links the area where its counts say it belongs. */
static inline void area_settle(struct area *area)
{
    const enum area_state state = area->used == 0                                ? AREA_EMPTY
                                  : area->warm                                   ? AREA_WARM
                                  : area->cold || area->fresh < area->count ? AREA_COLD
                                                                                 : AREA_FULL;
    if (state == area->state)
        return;
    area->state = state;
    list_remove(&area->node);
    if (state != AREA_FULL)
        list_push_front(&area->heap->lists[area->size_index][state], &area->node);
}

/* Every block is fresh again; none may be given out. */
void area_reset(struct area *area);
/* The area has no size any more and no structs of blocks. */
void area_retire(struct area *area);

/* Gives back free memory, what was free longest first: at most |bytes_max|, and only what has been
 * free for |age_min| calls of shm_heap_trim(). Returns how many bytes; *|young_bytes| is what was
 * too young. */
uint64_t heap_sweep(struct shm_heap *heap, uint64_t bytes_max, uint32_t age_min,
                    uint64_t *young_bytes);

#endif
