/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Large messages out. A body becomes a list of pieces of the own segment: what lies there already
 * gets one more reference, what lies elsewhere is copied into blocks. The references stand in the
 * table of loans until the peer gives the handle back, or is gone.
 */
#include "shm/pair_state.h"

#include "base/mem.h"

enum { LOANS_KEPT = 64 };
#define LOAN_NONE UINT32_MAX

/* A body in the making: it holds a reference to each piece's buffer. */
struct body {
    struct shm_lent_piece direct[SHM_PIECES_DIRECT_MAX];
    struct shm_lent_piece *pieces; /* |direct|, or allocated */
    size_t count;
    size_t capacity;
    uint64_t bytes;
    bool is_cut; /* the last piece shall not be extended */
};

static void body_fini(struct body *body)
{
    for (size_t i = 0; i < body->count; i++)
        buf_drop(body->pieces[i].buf);
    if (body->pieces != body->direct)
        mem_free(body->pieces);
}

static bool body_grow(struct body *body)
{
    const bool was_direct = body->pieces == body->direct;
    void *pieces = was_direct ? NULL : body->pieces;
    size_t capacity = was_direct ? 0 : body->capacity;
    if (mem_grow(&pieces, &capacity, body->capacity * 4, sizeof(*body->pieces)) != 0)
        return false;
    if (was_direct)
        memcpy(pieces, body->direct, sizeof(body->direct));
    body->pieces = pieces;
    body->capacity = capacity;
    return true;
}

/* Adds |buf| with the reference that the caller holds; on failure it still does. */
static bool body_add(struct body *body, struct buf *buf, uint64_t reference)
{
    if (body->count == body->capacity && !body_grow(body))
        return false;
    body->pieces[body->count++] = (struct shm_lent_piece){.buf = buf, .reference = reference};
    return true;
}

/* The last piece reaches up to |offset| of the same buffer and may go on. */
static bool body_extend(struct body *body, const struct buf *buf, uint64_t offset, size_t length)
{
    if (body->count == 0 || body->is_cut)
        return false;
    struct shm_lent_piece *last = &body->pieces[body->count - 1];
    const uint32_t before = shm_piece_length(last->reference);
    if (last->buf != buf || shm_piece_offset(last->reference) + before != offset ||
        before + length >= UINT32_C(1) << SHM_PIECE_LENGTH_BITS)
        return false;
    last->reference = shm_piece(shm_piece_offset(last->reference), before + (uint32_t)length);
    return true;
}

static bool is_own(const struct shm_heap *heap, const struct slice *piece)
{
    return piece->buf && piece->length < (size_t)1 << SHM_PIECE_LENGTH_BITS &&
           shm_heap_contains(heap, piece->data) &&
           shm_heap_contains(heap, piece->data + (piece->length - 1));
}

static enum shm_result body_lend(struct body *body, struct shm_heap *heap,
                                 const struct slice *piece)
{
    const uint64_t offset = shm_heap_offset(shm_heap_base(heap), piece->data);
    body->bytes += piece->length;
    if (body_extend(body, piece->buf, offset, piece->length))
        return SHM_OK;
    if (!body_add(body, piece->buf, shm_piece(offset, (uint32_t)piece->length)))
        return SHM_NO_MEMORY;
    buf_hold(piece->buf);
    body->is_cut = false;
    return SHM_OK;
}

/* How large a block to take for |left| bytes: not one that would be half empty, of those that are
 * not small. */
static size_t block_for(size_t left)
{
    size_t bytes = SHM_BLOCK_BYTES_MIN;
    while (bytes < left && bytes < SHM_BLOCK_BYTES_MAX)
        bytes *= 4;
    return bytes >= 16384 && left <= bytes / 2 ? bytes / 4 : bytes;
}

/* Copies the |count| pieces into blocks that are pieces of the body then; |is_whole|: one block. */
static enum shm_result body_copy(struct body *body, struct shm_heap *heap,
                                 const struct slice *pieces, size_t count, bool is_whole)
{
    size_t left = 0;
    for (size_t i = 0; i < count; i++)
        left += pieces[i].length;
    if (is_whole && left > SHM_BLOCK_BYTES_MAX)
        return SHM_NO_MEMORY;
    for (size_t i = 0, at = 0; left > 0;) {
        struct buf *buf = shm_heap_get(heap, is_whole ? left : block_for(left));
        if (!buf)
            return SHM_NO_MEMORY;
        const size_t room = MIN_OF(buf->capacity, left);
        const uint64_t offset = shm_heap_offset(shm_heap_base(heap), buf->data);
        if (!body_add(body, buf, shm_piece(offset, (uint32_t)room))) {
            buf_drop(buf);
            return SHM_NO_MEMORY;
        }
        for (size_t done = 0; done < room;) {
            const size_t part = MIN_OF(room - done, pieces[i].length - at);
            if (part > 0)
                memcpy(buf->data + done, pieces[i].data + at, part);
            done += part;
            at += part;
            if (at == pieces[i].length)
                i++, at = 0;
        }
        left -= room;
        body->bytes += room;
    }
    body->is_cut = true; /* the rest of the block is nobody's */
    return SHM_OK;
}

/* |may_lend| false: all of it is copied, which makes few pieces of many. */
static enum shm_result body_fill(struct body *body, struct shm_heap *heap,
                                 const struct parcel *parcel, bool may_lend)
{
    const struct slice whole = {.data = parcel->bytes, .length = parcel->length};
    const struct slice *pieces = parcel->bytes ? &whole : parcel->pieces;
    const size_t count = parcel->bytes ? 1 : parcel->piece_count;
    size_t i = 0;
    while (i < count) {
        enum shm_result result = SHM_OK;
        const bool is_list = i == 0 && parcel->is_mcast;
        size_t run = 0;
        while (i + run < count && !(is_list && run > 0) &&
               (pieces[i + run].length == 0 || !may_lend || !is_own(heap, &pieces[i + run])))
            run++;
        if (run > 0)
            result = body_copy(body, heap, &pieces[i], run, is_list);
        else
            result = body_lend(body, heap, &pieces[i]);
        if (result != SHM_OK)
            return result;
        if (is_list)
            body->is_cut = true;
        i += run > 0 ? run : 1;
    }
    return SHM_OK;
}

static void body_init(struct body *body)
{
    body->pieces = body->direct;
    body->capacity = ARRAY_LEN(body->direct);
    body->count = 0;
    body->bytes = 0;
    body->is_cut = false;
}

/* The references of a long body go into a block of their own, the last of its buffers. */
static enum shm_result body_list(struct body *body, struct shm_heap *heap, uint64_t *reference)
{
    const size_t bytes = body->count * sizeof(uint64_t);
    struct buf *buf = shm_heap_get(heap, bytes);
    if (!buf)
        return SHM_NO_MEMORY;
    for (size_t i = 0; i < body->count; i++)
        memcpy(buf->data + i * sizeof(uint64_t), &body->pieces[i].reference, sizeof(uint64_t));
    *reference = shm_piece(shm_heap_offset(shm_heap_base(heap), buf->data), (uint32_t)bytes);
    if (body_add(body, buf, *reference))
        return SHM_OK;
    buf_drop(buf);
    return SHM_NO_MEMORY;
}

/* ---- the table ---- */

static bool loan_reserve(struct shm_pair *pair)
{
    return pair->loan_free != LOAN_NONE ||
           (pair->loan_count < LOAN_NONE &&
            mem_grow((void **)&pair->loans, &pair->loan_capacity, (size_t)pair->loan_count + 1,
                     sizeof(*pair->loans)) == 0);
}

/* Puts the body's references into the table, in which a place was reserved. */
static uint32_t loan_add(struct shm_pair *pair, struct body *body)
{
    uint32_t handle = pair->loan_free;
    if (handle != LOAN_NONE)
        pair->loan_free = pair->loans[handle].next_free;
    else
        handle = pair->loan_count++;
    struct shm_loan *loan = &pair->loans[handle];
    loan->bytes = body->bytes;
    loan->count = (uint32_t)body->count;
    if (body->pieces != body->direct) {
        loan->bufs.many = body->pieces;
    } else {
        for (size_t i = 0; i < body->count; i++)
            loan->bufs.direct[i] = body->direct[i].buf;
    }
    pair->loan_active++;
    pair->lent_bytes += body->bytes;
    return handle;
}

static void loan_drop_bufs(struct shm_loan *loan)
{
    if (loan->count <= SHM_PIECES_DIRECT_MAX) {
        for (uint32_t i = 0; i < loan->count; i++)
            buf_drop(loan->bufs.direct[i]);
    } else {
        for (uint32_t i = 0; i < loan->count; i++)
            buf_drop(loan->bufs.many[i].buf);
        mem_free(loan->bufs.many);
    }
    loan->count = 0;
}

static void table_shrink(struct shm_pair *pair)
{
    if (pair->loan_active > 0 || pair->loan_capacity <= LOANS_KEPT)
        return;
    mem_free(pair->loans);
    pair->loans = NULL;
    pair->loan_capacity = 0;
    pair->loan_count = 0;
    pair->loan_free = LOAN_NONE;
}

enum shm_result shm_lend_back(struct shm_pair *pair, const uint32_t *handles, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t handle = handles[i];
        if (handle >= pair->loan_count || pair->loans[handle].count == 0)
            return SHM_BAD;
        struct shm_loan *loan = &pair->loans[handle];
        SHM_POINT("loan returned");
        pair->lent_bytes -= loan->bytes;
        pair->loan_active--;
        loan_drop_bufs(loan);
        loan->next_free = pair->loan_free;
        pair->loan_free = handle;
    }
    table_shrink(pair);
    return SHM_OK;
}

void shm_lend_fini(struct shm_pair *pair)
{
    for (uint32_t i = 0; i < pair->loan_count; i++)
        if (pair->loans[i].count > 0)
            loan_drop_bufs(&pair->loans[i]);
    mem_free(pair->loans);
    pair->loans = NULL;
    pair->loan_count = 0;
    pair->loan_active = 0;
    pair->lent_bytes = 0;
}

/* ---- sending ---- */

static void lend_publish(struct shm_pair *pair, const struct parcel *parcel, struct body *body,
                         size_t piece_count, uint64_t list)
{
    struct shm_slot *slot = pair->out_slot;
    const bool is_list = piece_count > SHM_PIECES_DIRECT_MAX;
    SHM_POINT("slot before");
    shm_slot_fill_head(slot, parcel, is_list ? SHM_LIST : SHM_PIECES,
                       is_list ? 1 : piece_count);
    if (is_list) {
        memcpy(slot->payload, &list, sizeof(list));
        slot->pieces = (uint32_t)piece_count;
    } else {
        for (size_t i = 0; i < piece_count; i++)
            memcpy(slot->payload + i * sizeof(uint64_t), &body->pieces[i].reference,
                   sizeof(uint64_t));
    }
    slot->handle = loan_add(pair, body);
    shm_ring_publish(pair, slot);
}

static enum shm_result body_make(struct body *body, struct shm_heap *heap,
                                 const struct parcel *parcel)
{
    body_init(body);
    enum shm_result result = body_fill(body, heap, parcel, true);
    if (body->count > SHM_PIECES_MAX) {
        body_fini(body);
        body_init(body);
        result = body_fill(body, heap, parcel, false);
    }
    return result;
}

enum shm_result shm_lend(struct shm_pair *pair, const struct parcel *parcel)
{
    CHECK(!parcel->is_mcast || (!parcel->bytes && parcel->piece_count > 0));
    if (pair->loan_active > 0)
        shm_pair_collect(pair);
    const enum shm_result room = shm_ring_room(pair);
    if (room != SHM_OK)
        return room;
    struct body body;
    uint64_t list = 0;
    enum shm_result result = body_make(&body, pair->heap, parcel);
    const size_t piece_count = body.count;
    if (result == SHM_OK && piece_count > SHM_PIECES_DIRECT_MAX)
        result = body_list(&body, pair->heap, &list);
    if (result == SHM_OK && !loan_reserve(pair))
        result = SHM_NO_MEMORY;
    if (result != SHM_OK) {
        body_fini(&body);
        return result;
    }
    CHECK(body.bytes == parcel->length);
    lend_publish(pair, parcel, &body, piece_count, list);
    return SHM_OK;
}
