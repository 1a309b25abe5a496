/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Giving memory of a segment back: which free pages, in which order. Empty areas first, then free
 * blocks of areas in use: whole pages of them, for small blocks the pages on which every block is
 * free. heap.c gives out and takes back.
 */
#include "shm/area.h"

#include <string.h>

struct sweep {
    uint64_t left_bytes; /* may still be discarded */
    uint64_t done_bytes;
    uint64_t young_bytes;
    uint32_t age_min;
};

static uint32_t count_pages(const struct area *area, uint32_t first, uint32_t end)
{
    uint32_t count = 0;
    for (uint32_t page = first; page < end; page++)
        count += (uint32_t)area_has_page(area, page);
    return count;
}

/* Discards populated pages of [first, end), the last ones first, as many as are allowed. */
static void discard_pages(struct sweep *sweep, struct area *area, uint32_t first, uint32_t end)
{
    struct shm_heap *heap = area->heap;
    while (end > first) {
        if (!area_has_page(area, end - 1)) {
            end--;
            continue;
        }
        uint32_t count = 0;
        while (count < end - first && area_has_page(area, end - 1 - count) &&
               (uint64_t)(count + 1) * PAGE_BYTES <= sweep->left_bytes)
            count++;
        if (count == 0)
            return;
        end -= count;
        for (uint32_t page = end; page < end + count; page++)
            area->pages[page / 64] &= ~(UINT64_C(1) << (page % 64));
        const uint64_t bytes = (uint64_t)count * PAGE_BYTES;
        area->populated_pages -= count;
        heap->populated_bytes -= bytes;
        sweep->left_bytes -= bytes;
        sweep->done_bytes += bytes;
        heap->ops.discard(heap->ops.context, area->offset + (uint64_t)end * PAGE_BYTES, bytes);
    }
}

static bool is_old(const struct sweep *sweep, const struct area *area, uint32_t since)
{
    return area->heap->epoch - since >= sweep->age_min;
}

static uint32_t reserved_pages(const struct area *area)
{
    return area->offset == 0 ? (uint32_t)(area->heap->reserved_bytes / PAGE_BYTES) : 0;
}

static void sweep_empty(struct sweep *sweep, struct area *area)
{
    const uint32_t first = reserved_pages(area);
    if (!is_old(sweep, area, area->emptied_at)) {
        sweep->young_bytes += (uint64_t)(area->populated_pages - first) * PAGE_BYTES;
        return;
    }
    discard_pages(sweep, area, first, AREA_PAGES);
    if (area->populated_pages == first)
        area_retire(area);
    else
        area_reset(area);
}

static void sweep_fresh(struct sweep *sweep, struct area *area)
{
    const uint64_t taken_bytes = (uint64_t)area->fresh * block_bytes(area->size_index);
    const uint32_t first = (uint32_t)((taken_bytes + PAGE_BYTES - 1) / PAGE_BYTES);
    if (is_old(sweep, area, area->fresh_at))
        discard_pages(sweep, area, first, AREA_PAGES);
    else
        sweep->young_bytes += (uint64_t)count_pages(area, first, AREA_PAGES) * PAGE_BYTES;
}

/* Blocks of whole pages: each for itself. */
static void sweep_large_blocks(struct sweep *sweep, struct area *area)
{
    const uint32_t pages = block_bytes(area->size_index) / PAGE_BYTES;
    struct block **link = &area->warm;
    while (*link) {
        struct block *block = *link;
        const uint32_t first = (uint32_t)(block - area->blocks) * pages;
        if (!is_old(sweep, area, block->freed_at)) {
            sweep->young_bytes += (uint64_t)pages * PAGE_BYTES;
            link = &block->next;
            continue;
        }
        discard_pages(sweep, area, first, first + pages);
        if (count_pages(area, first, first + pages) == pages) {
            link = &block->next;
            continue;
        }
        *link = block->next;
        block->next = area->cold;
        area->cold = block;
    }
}

/* Several blocks to a page: |free_on| counts those of each page that are free, |old_on| those that
 * are so for long. */
static void count_small_blocks(const struct sweep *sweep, const struct area *area,
                               uint8_t free_on[AREA_PAGES], uint8_t old_on[AREA_PAGES])
{
    const uint32_t per_page = PAGE_BYTES / block_bytes(area->size_index);
    memset(free_on, 0, AREA_PAGES);
    memset(old_on, 0, AREA_PAGES);
    for (int cold = 0; cold < 2; cold++)
        for (const struct block *block = cold ? area->cold : area->warm; block;
             block = block->next) {
            const uint32_t page = (uint32_t)(block - area->blocks) / per_page;
            free_on[page]++;
            old_on[page] += is_old(sweep, area, block->freed_at);
        }
}

static void sweep_small_blocks(struct sweep *sweep, struct area *area)
{
    uint8_t free_on[AREA_PAGES], old_on[AREA_PAGES];
    const uint32_t per_page = PAGE_BYTES / block_bytes(area->size_index);
    count_small_blocks(sweep, area, free_on, old_on);
    for (uint32_t page = area->fresh / per_page; page-- > 0;) {
        if (free_on[page] < per_page || !area_has_page(area, page))
            continue;
        if (old_on[page] == per_page)
            discard_pages(sweep, area, page, page + 1);
        else
            sweep->young_bytes += PAGE_BYTES;
    }
    struct block **link = &area->warm;
    while (*link) {
        struct block *block = *link;
        if (area_has_page(area, (uint32_t)(block - area->blocks) / per_page)) {
            link = &block->next;
            continue;
        }
        *link = block->next;
        block->next = area->cold;
        area->cold = block;
    }
}

static void sweep_list(struct sweep *sweep, struct list *list, enum area_state state)
{
    /* From the end: what was put there first. Settling may link an area elsewhere, so the one
     * before it is remembered. */
    for (struct list *node = list->prev, *before = node->prev; node != list;
         node = before, before = node->prev) {
        struct area *area = LIST_ENTRY(node, struct area, node);
        if (state == AREA_EMPTY) {
            sweep_empty(sweep, area);
            continue;
        }
        sweep_fresh(sweep, area);
        if (block_bytes(area->size_index) < PAGE_BYTES)
            sweep_small_blocks(sweep, area);
        else
            sweep_large_blocks(sweep, area);
        area_settle(area);
    }
}

uint64_t heap_sweep(struct shm_heap *heap, uint64_t bytes_max, uint32_t age_min,
                    uint64_t *young_bytes)
{
    struct sweep sweep = {.left_bytes = bytes_max, .age_min = age_min};
    static const enum area_state order[] = {AREA_EMPTY, AREA_COLD, AREA_WARM};
    for (size_t k = 0; k < ARRAY_LEN(order); k++)
        for (int i = SHM_BLOCK_SIZES - 1; i >= 0 && sweep.left_bytes >= PAGE_BYTES; i--)
            sweep_list(&sweep, &heap->lists[i][order[k]], order[k]);
    *young_bytes = sweep.young_bytes;
    return sweep.done_bytes;
}

bool shm_heap_trim(struct shm_heap *heap)
{
    const uint64_t free_bytes = heap->populated_bytes - heap->used_bytes;
    uint64_t young_bytes = 0;
    uint64_t done_bytes = 0;
    if (free_bytes >= SHM_TRIM_KEEP_BYTES + PAGE_BYTES)
        done_bytes = heap_sweep(heap, free_bytes - SHM_TRIM_KEEP_BYTES, 2, &young_bytes);
    heap->epoch++;
    return young_bytes > 0 && free_bytes - done_bytes >= SHM_TRIM_KEEP_BYTES + PAGE_BYTES;
}
