/* SPDX-License-Identifier: BSD-3-Clause */
/* The allocator of a segment: giving out and taking back; sweep.c gives memory back. */
#include "shm/heap.h"

#include "base/mem.h"
#include "shm/area.h"
#include "shm/hints.h"

#include <string.h>

static void heap_destroy(struct shm_heap *heap)
{
    const struct shm_heap_ops ops = heap->ops;
    for (size_t i = 0; i < heap->area_count; i++) {
        mem_free(heap->areas[i]->blocks);
        mem_free(heap->areas[i]);
    }
    mem_free(heap->areas);
    mem_free(heap);
    ops.gone(ops.context);
}

struct shm_heap *shm_heap_create(uint8_t *base, uint64_t size_bytes, uint64_t reserved_bytes,
                                 uint64_t limit_bytes, const struct shm_heap_ops *ops)
{
    CHECK(size_bytes > 0 && size_bytes % SHM_AREA_BYTES == 0 && reserved_bytes >= PAGE_BYTES &&
          reserved_bytes < SHM_AREA_BYTES && (reserved_bytes & (reserved_bytes - 1)) == 0);
    struct shm_heap *heap = mem_calloc(1, sizeof(*heap));
    if (!heap)
        return NULL;
    heap->base = base;
    heap->size_bytes = size_bytes;
    heap->reserved_bytes = reserved_bytes;
    heap->limit_bytes = limit_bytes;
    heap->populated_bytes = reserved_bytes;
    heap->used_bytes = reserved_bytes;
    heap->ops = *ops;
    heap->area_max = (size_t)(size_bytes / SHM_AREA_BYTES);
    for (int i = 0; i < SHM_BLOCK_SIZES; i++)
        for (int state = 0; state < AREA_LISTS; state++)
            list_init(&heap->lists[i][state]);
    list_init(&heap->unused);
    return heap;
}

void shm_heap_close(struct shm_heap *heap)
{
    heap->is_closed = 1;
    if (heap->used_bytes == heap->reserved_bytes)
        heap_destroy(heap);
}

static void block_release(struct buf *buf)
{
    struct block *block = CONTAINER_OF(buf, struct block, buf);
    struct area *area = block->area;
    struct shm_heap *heap = area->heap;
    block->freed_at = heap->epoch;
    block->next = area->warm;
    area->warm = block;
    area->emptied_at = heap->epoch;
    area->used--;
    heap->used_bytes -= buf->capacity;
    if (SHM_UNLIKELY(heap->is_closed)) {
        if (heap->used_bytes == heap->reserved_bytes)
            heap_destroy(heap);
        return;
    }
    area_settle(area);
}

/* ---- memory behind the pages ---- */

static int populate_run(struct area *area, uint32_t first, uint32_t count)
{
    struct shm_heap *heap = area->heap;
    const uint64_t bytes = (uint64_t)count * PAGE_BYTES;
    if (heap->populated_bytes > heap->limit_bytes ||
        bytes > heap->limit_bytes - heap->populated_bytes)
        return -1;
    const uint64_t offset = area->offset + (uint64_t)first * PAGE_BYTES;
    if (heap->ops.populate(heap->ops.context, offset, bytes) != 0)
        return -1;
    for (uint32_t page = first; page < first + count; page++)
        area->pages[page / 64] |= UINT64_C(1) << (page % 64);
    area->populated_pages += count;
    heap->populated_bytes += bytes;
    return 0;
}

static uint32_t missing_run(const struct area *area, uint32_t first, uint32_t end)
{
    uint32_t page = first;
    while (page < end && !area_has_page(area, page))
        page++;
    return page - first;
}

/* Populates what is missing of the pages [first, end), and some behind them: the more the area
 * holds already, the more. */
static int area_populate(struct area *area, uint32_t first, uint32_t end)
{
    for (uint32_t page = first; page < end; page++) {
        const uint32_t missing = missing_run(area, page, end);
        if (missing == 0)
            continue;
        const uint32_t run_max =
            MIN_OF(MAX_OF(area->populated_pages, missing), RUN_BYTES_MAX / PAGE_BYTES);
        const uint32_t ahead = missing_run(area, page, MIN_OF(page + run_max, AREA_PAGES));
        if ((ahead <= missing || populate_run(area, page, ahead) != 0) &&
            populate_run(area, page, missing) != 0)
            return -1;
        page += missing;
    }
    return 0;
}

/* ---- areas ---- */

void area_reset(struct area *area)
{
    const uint32_t bytes = block_bytes(area->size_index);
    area->count = SHM_AREA_BYTES / bytes;
    area->used = 0;
    area->warm = area->cold = NULL;
    area->fresh = 0;
    if (area->offset == 0) /* what is reserved stays away */
        area->fresh = (uint32_t)((area->heap->reserved_bytes + bytes - 1) / bytes);
    area->fresh_at = area->heap->epoch;
}

void area_retire(struct area *area)
{
    mem_free(area->blocks);
    area->blocks = NULL;
    area->block_capacity = 0;
    area->state = AREA_UNUSED;
    list_remove(&area->node);
    list_push_front(&area->heap->unused, &area->node);
}

/* Makes an empty or unused area one of |size_index|. */
static int area_resize(struct area *area, int size_index)
{
    const uint32_t count = SHM_AREA_BYTES / block_bytes(size_index);
    if (count > area->block_capacity) {
        struct block *blocks = mem_alloc(count * sizeof(*blocks));
        if (!blocks)
            return -1;
        mem_free(area->blocks);
        area->blocks = blocks;
        area->block_capacity = count;
    }
    area->size_index = size_index;
    area->state = AREA_EMPTY;
    area->emptied_at = area->heap->epoch;
    area_reset(area);
    list_remove(&area->node);
    list_push_front(&area->heap->lists[size_index][AREA_EMPTY], &area->node);
    return 0;
}

static struct area *area_new(struct shm_heap *heap)
{
    if (heap->area_count == heap->area_max ||
        mem_grow((void **)&heap->areas, &heap->area_capacity, heap->area_count + 1,
                 sizeof(*heap->areas)) != 0)
        return NULL;
    struct area *area = mem_calloc(1, sizeof(*area));
    if (!area)
        return NULL;
    area->heap = heap;
    area->offset = (uint64_t)heap->area_count * SHM_AREA_BYTES;
    if (area->offset == 0) {
        area->populated_pages = (uint32_t)(heap->reserved_bytes / PAGE_BYTES);
        for (uint32_t page = 0; page < area->populated_pages; page++)
            area->pages[page / 64] |= UINT64_C(1) << (page % 64);
    }
    heap->areas[heap->area_count++] = area;
    area->state = AREA_UNUSED;
    list_init(&area->node);
    list_push_front(&heap->unused, &area->node);
    return area;
}

/* Blocks of this size do not fit beside what is reserved of the first area. */
static int area_suits(const struct area *area, int size_index)
{
    return area->offset != 0 ||
           block_bytes(size_index) <= SHM_AREA_BYTES - area->heap->reserved_bytes;
}

static struct area *find_empty(struct shm_heap *heap, int size_index)
{
    for (int i = SHM_BLOCK_SIZES - 1; i >= 0; i--)
        LIST_EACH (node, following, &heap->lists[i][AREA_EMPTY]) {
            struct area *area = LIST_ENTRY(node, struct area, node);
            if (i != size_index && area_suits(area, size_index))
                return area;
        }
    return NULL;
}

static struct area *find_unused(struct shm_heap *heap, int size_index)
{
    for (;;) {
        LIST_EACH (node, following, &heap->unused) {
            struct area *area = LIST_ENTRY(node, struct area, node);
            if (area_suits(area, size_index))
                return area;
        }
        if (!area_new(heap))
            return NULL;
    }
}

/* One more area for blocks of this size. Large blocks rather take over an empty one, which holds
 * memory; a few small blocks shall not keep so much of it. */
static int heap_widen(struct shm_heap *heap, int size_index)
{
    const bool is_large = block_bytes(size_index) >= RUN_BYTES_MAX;
    struct area *area = is_large ? find_empty(heap, size_index) : find_unused(heap, size_index);
    if (!area)
        area = is_large ? find_unused(heap, size_index) : find_empty(heap, size_index);
    return area ? area_resize(area, size_index) : -1;
}

/* ---- blocks ---- */

static struct buf *block_give(struct area *area, struct block *block)
{
    struct shm_heap *heap = area->heap;
    area->used++;
    heap->used_bytes += block->buf.capacity;
    block->buf.references = 1;
    area_settle(area);
    return &block->buf;
}

static int block_populate(struct area *area, uint32_t index)
{
    const uint32_t bytes = block_bytes(area->size_index);
    const uint32_t first = (uint32_t)((uint64_t)index * bytes / PAGE_BYTES);
    const uint32_t end = (uint32_t)(((uint64_t)(index + 1) * bytes + PAGE_BYTES - 1) / PAGE_BYTES);
    return area_populate(area, first, end);
}

static void block_init(struct area *area, uint32_t index)
{
    const uint32_t bytes = block_bytes(area->size_index);
    area->blocks[index] =
        (struct block){.area = area,
                       .buf = {.capacity = bytes,
                               .data = area->heap->base + area->offset + (uint64_t)index * bytes,
                               .release = block_release}};
}

/* Some block of the area, or NULL when there is none, or no memory for it. */
static struct buf *area_get(struct area *area)
{
    struct block *block = area->warm;
    if (block) {
        area->warm = block->next;
        return block_give(area, block);
    }
    block = area->cold;
    if (block) {
        if (block_populate(area, (uint32_t)(block - area->blocks)) != 0)
            return NULL;
        area->cold = block->next;
        return block_give(area, block);
    }
    if (area->fresh == area->count || block_populate(area, area->fresh) != 0)
        return NULL;
    block_init(area, area->fresh);
    area->fresh_at = area->heap->epoch;
    return block_give(area, &area->blocks[area->fresh++]);
}

static struct buf *get_of_size(struct shm_heap *heap, int size_index)
{
    static const enum area_state order[] = {AREA_WARM, AREA_EMPTY, AREA_COLD};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        struct list *first = list_first(&heap->lists[size_index][order[i]]);
        struct buf *buf = first ? area_get(LIST_ENTRY(first, struct area, node)) : NULL;
        if (buf)
            return buf;
    }
    return NULL;
}

/* A block of this size, of a new area, or a larger block rather than none. */
static struct buf *get_anyhow(struct shm_heap *heap, int size_index)
{
    struct buf *buf = get_of_size(heap, size_index);
    if (!buf && heap_widen(heap, size_index) == 0)
        buf = get_of_size(heap, size_index);
    for (int i = size_index + 1; !buf && i < SHM_BLOCK_SIZES; i++)
        buf = get_of_size(heap, i);
    return buf;
}

static SHM_COLD struct buf *heap_get_slow(struct shm_heap *heap, int size_index)
{
    if (heap->is_closed)
        return NULL;
    struct buf *buf = get_anyhow(heap, size_index);
    uint64_t young_bytes;
    if (!buf && heap_sweep(heap, MAX_OF(block_bytes(size_index), PAGE_BYTES), 0, &young_bytes) > 0)
        buf = get_anyhow(heap, size_index);
    return buf;
}

static inline int size_index_of(size_t wanted)
{
    if (wanted <= SHM_BLOCK_BYTES_MIN)
        return 0;
    const int index = (shm_bit_width(wanted - 1) - 7) / 2;
    return MIN_OF(index, SHM_BLOCK_SIZES - 1);
}

struct buf *shm_heap_get(struct shm_heap *heap, size_t wanted)
{
    const int size_index = size_index_of(wanted);
    struct list *first = list_first(&heap->lists[size_index][AREA_WARM]);
    if (!first)
        first = list_first(&heap->lists[size_index][AREA_EMPTY]);
    if (SHM_LIKELY(first && !heap->is_closed)) {
        struct area *area = LIST_ENTRY(first, struct area, node);
        struct block *block = area->warm;
        if (SHM_LIKELY(block)) {
            area->warm = block->next;
            return block_give(area, block);
        }
    }
    return heap_get_slow(heap, size_index);
}

/* ---- questions ---- */

bool shm_heap_contains(const struct shm_heap *heap, const void *data)
{
    return (uintptr_t)data - (uintptr_t)heap->base < heap->size_bytes;
}

uint8_t *shm_heap_base(const struct shm_heap *heap)
{
    return heap->base;
}

struct shm_heap_stats shm_heap_stats(const struct shm_heap *heap)
{
    return (struct shm_heap_stats){.used_bytes = heap->used_bytes - heap->reserved_bytes,
                                   .populated_bytes = heap->populated_bytes,
                                   .limit_bytes = heap->limit_bytes};
}
