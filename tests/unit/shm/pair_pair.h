/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two sides that share memory inside of one process, for tests: each has a segment made of ordinary
 * memory, an inbox and a pair joined to the other's. The populated pages are known, so that a test
 * can see that nothing is given out without memory, and populating can be made to fail.
 */
#ifndef TESTS_SHM_PAIR_PAIR_H
#define TESTS_SHM_PAIR_PAIR_H

#include "base/check.h"
#include "shm/inbox.h"
#include "shm/pair.h"

#include <stdlib.h>
#include <string.h>

enum {
    GROUND_PAGE_BYTES = 4096,
    GROUND_RESERVED_BYTES = 4096,
    GROUND_AREAS_MAX = 64,
    GROUND_PAGES_MAX = GROUND_AREAS_MAX * (SHM_AREA_BYTES / GROUND_PAGE_BYTES)
};

/* A segment and its heap. */
struct ground {
    uint8_t *base;
    uint64_t size_bytes;
    struct shm_heap *heap;
    struct shm_header *header;
    uint8_t page_is_populated[GROUND_PAGES_MAX];
    uint64_t populate_calls;
    uint64_t discard_calls;
    uint64_t populate_fail_at; /* the n-th call from now on fails; 0 = none */
    bool populate_fail_always;
    bool is_gone; /* the heap said so */
};

static inline int ground_populate(void *context, uint64_t offset, uint64_t length)
{
    struct ground *ground = context;
    CHECK(offset % GROUND_PAGE_BYTES == 0 && length % GROUND_PAGE_BYTES == 0 && length > 0 &&
          offset <= ground->size_bytes && length <= ground->size_bytes - offset);
    ground->populate_calls++;
    if (ground->populate_fail_always)
        return -1;
    if (ground->populate_fail_at > 0 && --ground->populate_fail_at == 0)
        return -1;
    for (uint64_t at = offset; at < offset + length; at += GROUND_PAGE_BYTES) {
        CHECK(!ground->page_is_populated[at / GROUND_PAGE_BYTES]);
        ground->page_is_populated[at / GROUND_PAGE_BYTES] = 1;
    }
    return 0;
}

static inline void ground_discard(void *context, uint64_t offset, uint64_t length)
{
    struct ground *ground = context;
    CHECK(offset % GROUND_PAGE_BYTES == 0 && length % GROUND_PAGE_BYTES == 0 && length > 0);
    ground->discard_calls++;
    for (uint64_t at = offset; at < offset + length; at += GROUND_PAGE_BYTES) {
        CHECK(ground->page_is_populated[at / GROUND_PAGE_BYTES]);
        ground->page_is_populated[at / GROUND_PAGE_BYTES] = 0;
    }
    memset(ground->base + offset, 0xdd, length);
}

static inline void ground_gone(void *context)
{
    ((struct ground *)context)->is_gone = true;
}

static inline struct shm_heap_ops ground_ops(struct ground *ground)
{
    return (struct shm_heap_ops){.context = ground,
                                 .populate = ground_populate,
                                 .discard = ground_discard,
                                 .gone = ground_gone};
}

/* False when there was no memory for the heap; ground_close() is right in any case. */
static inline bool ground_open(struct ground *ground, size_t areas, uint64_t limit_bytes)
{
    memset(ground, 0, sizeof(*ground));
    CHECK(areas <= GROUND_AREAS_MAX);
    ground->size_bytes = (uint64_t)areas * SHM_AREA_BYTES;
    ground->base = aligned_alloc(GROUND_PAGE_BYTES, ground->size_bytes);
    CHECK(ground->base);
    ground->page_is_populated[0] = 1;
    ground->header = (void *)ground->base;
    memset(ground->header, 0, sizeof(*ground->header));
    ground->header->magic = SHM_MAGIC;
    ground->header->version = SHM_VERSION;
    ground->header->size_bytes = ground->size_bytes;
    const struct shm_heap_ops ops = ground_ops(ground);
    ground->heap = shm_heap_create(ground->base, ground->size_bytes, GROUND_RESERVED_BYTES,
                                   limit_bytes, &ops);
    return ground->heap != NULL;
}

/* Whether all of |buf| has memory. */
static inline bool ground_holds(const struct ground *ground, const struct buf *buf)
{
    const uint64_t offset = (uint64_t)(buf->data - ground->base);
    for (uint64_t at = offset; at < offset + buf->capacity; at += SHM_BLOCK_BYTES_MIN)
        if (!ground->page_is_populated[at / GROUND_PAGE_BYTES])
            return false;
    return true;
}

static inline void ground_close(struct ground *ground)
{
    if (ground->heap)
        shm_heap_close(ground->heap);
    ground->heap = NULL;
    free(ground->base);
    ground->base = NULL;
}

struct pair_side {
    struct ground ground;
    struct shm_inbox *inbox;
    struct shm_ears ears;
    struct shm_pair *pair;
    bool view_is_gone; /* the pair needs the other's segment no more */
};

struct pair_pair {
    struct pair_side a;
    struct pair_side b;
};

static inline void view_gone(void *context)
{
    ((struct pair_side *)context)->view_is_gone = true;
}

/* How |side| sees the segment of |other|. */
static inline struct shm_view view_of(struct pair_side *side, const struct pair_side *other)
{
    return (struct shm_view){.base = other->ground.base,
                             .size_bytes = other->ground.size_bytes,
                             .context = side,
                             .gone = view_gone};
}

static inline bool side_open(struct pair_side *side, size_t areas, uint64_t limit_bytes)
{
    side->pair = NULL;
    side->view_is_gone = false;
    side->inbox = aligned_alloc(SHM_LINE_BYTES, (sizeof(struct shm_inbox) + 63) / 64 * 64);
    CHECK(side->inbox);
    memset(side->inbox, 0, sizeof(*side->inbox));
    if (!ground_open(&side->ground, areas, limit_bytes))
        return false;
    shm_ears_init(&side->ears, side->inbox, side->ground.header);
    side->pair = shm_pair_create(side->ground.heap, side);
    return side->pair != NULL;
}

static inline enum shm_result side_join(struct pair_side *side, struct pair_side *other)
{
    const struct shm_view view = view_of(side, other);
    const struct shm_offer offer = shm_pair_offer(other->pair);
    return shm_pair_join(side->pair, &view, &offer);
}

/* Each with a segment of |areas| MiB, of which it may populate |limit_bytes|. False without memory;
 * pair_pair_close() is right in any case. */
static inline bool pair_pair_open_limited(struct pair_pair *both, size_t areas,
                                          uint64_t limit_bytes)
{
    const bool has_a = side_open(&both->a, areas, limit_bytes);
    const bool has_b = side_open(&both->b, areas, limit_bytes);
    return has_a && has_b && side_join(&both->a, &both->b) == SHM_OK &&
           side_join(&both->b, &both->a) == SHM_OK;
}

static inline bool pair_pair_open(struct pair_pair *both, size_t areas)
{
    return pair_pair_open_limited(both, areas, (uint64_t)areas * SHM_AREA_BYTES);
}

static inline void side_close(struct pair_side *side)
{
    if (side->pair)
        shm_pair_close(side->pair);
    side->pair = NULL;
    ground_close(&side->ground);
    free(side->inbox);
    side->inbox = NULL;
}

/* Whatever was borrowed must have been dropped, or is never touched again. */
static inline void pair_pair_close(struct pair_pair *both)
{
    side_close(&both->a);
    side_close(&both->b);
}

#endif
