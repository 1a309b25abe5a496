/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Large messages in. The pieces of a message are slices of one struct buf whose bytes are the
 * peer's segment; when its last slice is dropped the handle waits, with others, for a RELEASE slot.
 * After the pair was closed the structs only keep the view alive.
 */
#include "shm/pair_state.h"

#include "base/mem.h"

enum { SPARE_MAX = 64, PIECES_KEPT = 1024 };

/* ---- giving back ---- */

static void borrow_recycle(struct shm_pair *pair, struct shm_borrow *borrow)
{
    if (pair->spare_count == SPARE_MAX) {
        mem_free(borrow);
        return;
    }
    borrow->next = pair->spare;
    pair->spare = borrow;
    pair->spare_count++;
}

static void release_publish(struct shm_pair *pair)
{
    struct shm_slot *slot = pair->out_slot;
    uint32_t count = 0;
    SHM_POINT("release before");
    while (pair->done_first && count < SHM_RELEASES_MAX) {
        struct shm_borrow *borrow = pair->done_first;
        memcpy(slot->payload + count * sizeof(borrow->handle), &borrow->handle,
               sizeof(borrow->handle));
        count++;
        pair->done_first = borrow->next;
        pair->done_bytes -= borrow->bytes;
        borrow_recycle(pair, borrow);
    }
    pair->done_count -= count;
    slot->kind = SHM_RELEASE;
    slot->flags = 0;
    slot->count = (uint16_t)count;
    shm_ring_publish(pair, slot);
}

enum shm_result shm_borrow_give_back(struct shm_pair *pair)
{
    enum shm_result result = SHM_NONE;
    while (pair->done_first) {
        const enum shm_result room = shm_ring_room(pair);
        if (room != SHM_OK)
            return room;
        release_publish(pair);
        result = SHM_OK;
    }
    return result;
}

static void borrow_release(struct buf *buf)
{
    struct shm_borrow *borrow = CONTAINER_OF(buf, struct shm_borrow, buf);
    struct shm_pair *pair = borrow->pair;
    pair->borrowed--;
    if (pair->is_closed) {
        mem_free(borrow);
        if (pair->borrowed == 0)
            shm_pair_free(pair);
        return;
    }
    borrow->next = NULL;
    if (pair->done_first)
        pair->done_last->next = borrow;
    else
        pair->done_first = borrow;
    pair->done_last = borrow;
    pair->done_count++;
    pair->done_bytes += borrow->bytes;
    /* Without memory for a slot they wait for the next occasion. */
    if (pair->done_count >= SHM_RELEASES_MAX || pair->done_bytes >= SHM_RELEASE_BYTES)
        shm_borrow_give_back(pair);
}

static void list_free(struct shm_borrow *first)
{
    while (first) {
        struct shm_borrow *borrow = first;
        first = borrow->next;
        mem_free(borrow);
    }
}

void shm_borrow_fini(struct shm_pair *pair)
{
    list_free(pair->done_first);
    list_free(pair->spare);
    pair->done_first = pair->spare = NULL;
    pair->borrowed++; /* so that the drop below does not free the pair */
    if (pair->in_borrow)
        buf_drop(&pair->in_borrow->buf);
    pair->in_borrow = NULL;
    if (--pair->borrowed == 0)
        shm_pair_free(pair);
}

/* ---- taking ---- */

static struct shm_borrow *borrow_create(struct shm_pair *pair)
{
    struct shm_borrow *borrow = pair->spare;
    if (borrow) {
        pair->spare = borrow->next;
        pair->spare_count--;
    } else {
        borrow = mem_alloc(sizeof(*borrow));
        if (!borrow)
            return NULL;
    }
    *borrow = (struct shm_borrow){
        .pair = pair,
        .buf = {.references = 1,
                .capacity = (size_t)pair->view.size_bytes,
                .data = (uint8_t *)(uintptr_t)pair->view.base, /* never written through it */
                .release = borrow_release}};
    return borrow;
}

/* A piece within the peer's segment, or one of no bytes. */
static struct slice piece_open(const struct shm_pair *pair, uint64_t reference)
{
    const uint64_t offset = shm_piece_offset(reference);
    const uint32_t length = shm_piece_length(reference);
    if (offset > pair->view.size_bytes || length > pair->view.size_bytes - offset)
        return (struct slice){0};
    return (struct slice){.data = pair->view.base + offset, .length = length};
}

/* Where the references of the message are: in the slot's copy, or in the peer's memory, where each
 * may be read only once. */
static enum shm_result find_references(const struct shm_pair *pair, const struct shm_slot *slot,
                                       const uint8_t **references, size_t *count)
{
    if (slot->kind == SHM_PIECES) {
        *references = slot->payload;
        *count = slot->count;
        return *count > 0 && *count <= SHM_PIECES_DIRECT_MAX ? SHM_OK : SHM_BAD;
    }
    uint64_t list;
    memcpy(&list, slot->payload, sizeof(list));
    const struct slice where = piece_open(pair, list);
    if (slot->count != 1 || slot->pieces == 0 || slot->pieces > SHM_PIECES_MAX ||
        where.length != (size_t)slot->pieces * sizeof(uint64_t))
        return SHM_BAD;
    *references = where.data;
    *count = slot->pieces;
    return SHM_OK;
}

static enum shm_result pieces_room(struct shm_pair *pair, size_t count, struct slice **pieces)
{
    *pieces = pair->in_direct;
    if (count <= ARRAY_LEN(pair->in_direct))
        return SHM_OK;
    if (pair->in_pieces_capacity > PIECES_KEPT && count <= PIECES_KEPT) {
        mem_free(pair->in_pieces); /* one long message shall not cost memory for ever */
        pair->in_pieces = NULL;
        pair->in_pieces_capacity = 0;
    }
    if (mem_grow((void **)&pair->in_pieces, &pair->in_pieces_capacity, count,
                 sizeof(*pair->in_pieces)) != 0)
        return SHM_NO_MEMORY;
    *pieces = pair->in_pieces;
    return SHM_OK;
}

static enum shm_result pieces_open(const struct shm_pair *pair, const uint8_t *references,
                                   size_t count, struct slice *pieces, uint64_t *bytes)
{
    *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t reference;
        memcpy(&reference, references + i * sizeof(reference), sizeof(reference));
        atomic_signal_fence(memory_order_seq_cst); /* read once */
        pieces[i] = piece_open(pair, reference);
        *bytes += pieces[i].length;
        if (pieces[i].length == 0)
            return SHM_BAD;
    }
    return *bytes <= UINT32_MAX ? SHM_OK : SHM_BAD;
}

enum shm_result shm_borrow(struct shm_pair *pair, const struct shm_slot *slot,
                           struct parcel *parcel)
{
    const uint8_t *references;
    size_t count;
    struct slice *pieces;
    uint64_t bytes;
    if (slot->flags & ~(SHM_HAS_EXTRA | SHM_IS_MCAST))
        return SHM_BAD;
    enum shm_result result = find_references(pair, slot, &references, &count);
    if (result == SHM_OK)
        result = pieces_room(pair, count, &pieces);
    if (result == SHM_OK)
        result = pieces_open(pair, references, count, pieces, &bytes);
    if (result != SHM_OK)
        return result;
    struct shm_borrow *borrow = borrow_create(pair);
    if (!borrow)
        return SHM_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        pieces[i].buf = &borrow->buf;
    borrow->handle = slot->handle;
    borrow->bytes = bytes;
    pair->borrowed++;
    pair->in_borrow = borrow;
    parcel->pieces = pieces;
    parcel->piece_count = count;
    parcel->length = (size_t)bytes;
    return SHM_OK;
}
