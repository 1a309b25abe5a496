/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where slots lie. A ring of n slots holds n - 1 messages: the last free slot is kept for a MOVE,
 * so that a sender who finds the ring full can always say where it goes on. Each ring is four times
 * as large as the one before, up to the largest; those behind it are as large as it. The old one is
 * dropped when the reader has said that it took the MOVE.
 */
#include "shm/pair_state.h"

#include "base/mem.h"

const struct shm_slot shm_no_slot;
const struct shm_back shm_no_back;

#ifdef SHM_POINTS
void (*shm_point_hook)(const char *name);
#endif

/* A ring whose slots are not published; only stamps must be clear for that. */
static struct shm_ring *ring_create(struct shm_heap *heap, uint32_t slots)
{
    struct shm_ring *ring = mem_calloc(1, sizeof(*ring));
    if (!ring)
        return NULL;
    ring->buf = shm_heap_get(heap, (size_t)slots * SHM_SLOT_BYTES);
    if (!ring->buf) {
        mem_free(ring);
        return NULL;
    }
    struct shm_slot *first = (void *)ring->buf->data;
    for (uint32_t i = 0; i < slots; i++)
        atomic_store_explicit(&first[i].stamp, 0, memory_order_relaxed);
    return ring;
}

/* What follows is written to |ring|, from out_next on. */
static void ring_append(struct shm_pair *pair, struct shm_ring *ring, uint32_t slots)
{
    if (pair->last_ring)
        pair->last_ring->next = ring;
    else
        pair->rings = ring;
    pair->last_ring = ring;
    pair->out_ring = (void *)ring->buf->data;
    pair->out_ring_slots = slots;
    pair->out_mask = slots - 1;
    pair->out_slot = &pair->out_ring[pair->out_next & pair->out_mask];
    pair->out_limit = pair->out_next + slots - 1;
}

static void ring_destroy(struct shm_ring *ring)
{
    buf_drop(ring->buf);
    mem_free(ring);
}

enum shm_result shm_ring_init(struct shm_pair *pair)
{
    struct shm_ring *ring = ring_create(pair->heap, SHM_RING_SLOTS_FIRST);
    if (!ring)
        return SHM_NO_MEMORY;
    ring_append(pair, ring, SHM_RING_SLOTS_FIRST);
    return SHM_OK;
}

void shm_ring_fini(struct shm_pair *pair)
{
    while (pair->rings) {
        struct shm_ring *ring = pair->rings;
        pair->rings = ring->next;
        ring_destroy(ring);
    }
    pair->last_ring = NULL;
}

/* Looks how far the peer came. */
static enum shm_result look_back(struct shm_pair *pair)
{
    SHM_POINT("consumed read");
    const uint64_t consumed =
        atomic_load_explicit(&pair->out_back->consumed, memory_order_acquire);
    if (consumed < pair->out_consumed || consumed > pair->out_next)
        return shm_pair_spoil(pair);
    pair->out_consumed = consumed;
    while (pair->rings != pair->last_ring && pair->rings->end <= consumed) {
        struct shm_ring *ring = pair->rings;
        pair->rings = ring->next;
        SHM_POINT("ring freed");
        ring_destroy(ring);
    }
    return SHM_OK;
}

void shm_ring_free_old(struct shm_pair *pair)
{
    if (!pair->is_bad && pair->rings != pair->last_ring)
        look_back(pair);
}

static enum shm_result ring_move(struct shm_pair *pair)
{
    const uint32_t slots =
        MIN_OF(pair->out_ring_slots * SHM_RING_SLOTS_STEP, (uint32_t)SHM_RING_SLOTS_MAX);
    struct shm_ring *ring = ring_create(pair->heap, slots);
    if (!ring)
        return SHM_NO_MEMORY;
    const uint64_t offset = shm_heap_offset(shm_heap_base(pair->heap), ring->buf->data);
    struct shm_slot *slot = pair->out_slot;
    slot->kind = SHM_MOVE;
    slot->flags = 0;
    slot->count = 0;
    memcpy(slot->payload, &offset, sizeof(offset));
    memcpy(slot->payload + sizeof(offset), &slots, sizeof(slots));
    SHM_POINT("move filled");
    shm_ring_publish(pair, slot);
    pair->last_ring->end = pair->out_next;
    ring_append(pair, ring, slots);
    return SHM_OK;
}

SHM_COLD enum shm_result shm_ring_make_room(struct shm_pair *pair)
{
    if (pair->is_bad || look_back(pair) != SHM_OK)
        return SHM_BAD;
    const uint64_t limit = pair->out_consumed + pair->out_ring_slots - 1;
    if (limit > pair->out_limit)
        pair->out_limit = limit;
    return pair->out_next != pair->out_limit ? SHM_OK : ring_move(pair);
}

bool shm_ring_is_sane(const struct shm_view *view, uint64_t offset, uint32_t slots)
{
    return slots >= 2 && (slots & (slots - 1)) == 0 && offset % SHM_SLOT_BYTES == 0 &&
           offset <= view->size_bytes &&
           (uint64_t)slots * SHM_SLOT_BYTES <= view->size_bytes - offset;
}

void shm_ring_enter(struct shm_pair *pair, uint64_t offset, uint32_t slots)
{
    pair->in_ring = (const void *)(pair->view.base + offset);
    pair->in_mask = slots - 1;
    pair->in_ring_start = pair->in_next;
    pair->in_slot = &pair->in_ring[pair->in_next & pair->in_mask];
}

enum shm_result shm_pair_spoil(struct shm_pair *pair)
{
    pair->is_bad = true;
    pair->in_idle = SHM_BAD;
    pair->in_slot = pair->in_ring = &shm_no_slot;
    pair->in_mask = 0;
    pair->out_limit = pair->out_next;
    return SHM_BAD;
}
