/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pair: making, joining, closing, and the way of small messages, which is all but straight-line
 * code: no call, no allocation, one cache line each way. What is larger: lend.c and borrow.c.
 */
#include "shm/pair.h"

#include "base/mem.h"
#include "shm/pair_state.h"

/* ---- life ---- */

struct shm_pair *shm_pair_create(struct shm_heap *own, void *cookie)
{
    void *allocation = mem_calloc(1, sizeof(struct shm_pair) + SHM_LINE_BYTES);
    if (!allocation)
        return NULL;
    const uintptr_t past = (uintptr_t)allocation % SHM_LINE_BYTES;
    struct shm_pair *pair = (void *)((uint8_t *)allocation + (SHM_LINE_BYTES - past));
    pair->allocation = allocation;
    pair->heap = own;
    pair->cookie = cookie;
    pair->out_back = &shm_no_back;
    pair->in_slot = pair->in_ring = &shm_no_slot;
    pair->in_idle = SHM_NONE;
    pair->loan_free = UINT32_MAX;
    pair->back_buf = shm_heap_get(own, sizeof(struct shm_back));
    if (!pair->back_buf || shm_ring_init(pair) != SHM_OK) {
        buf_drop(pair->back_buf);
        mem_free(allocation);
        return NULL;
    }
    pair->in_back = (void *)pair->back_buf->data;
    pair->first_ring_offset = shm_heap_offset(shm_heap_base(own), pair->out_ring);
    atomic_store_explicit(&pair->in_back->consumed, 0, memory_order_relaxed);
    return pair;
}

void *shm_pair_cookie(const struct shm_pair *pair)
{
    return pair->cookie;
}

struct shm_offer shm_pair_offer(const struct shm_pair *pair)
{
    const uint8_t *base = shm_heap_base(pair->heap);
    return (struct shm_offer){.ring_offset = pair->first_ring_offset,
                              .ring_slots = SHM_RING_SLOTS_FIRST,
                              .back_offset = shm_heap_offset(base, pair->in_back)};
}

enum shm_result shm_pair_join(struct shm_pair *pair, const struct shm_view *view,
                              const struct shm_offer *offer)
{
    CHECK(!pair->is_joined);
    if (!shm_ring_is_sane(view, offer->ring_offset, offer->ring_slots) ||
        offer->back_offset % SHM_LINE_BYTES != 0 || offer->back_offset > view->size_bytes ||
        sizeof(struct shm_back) > view->size_bytes - offer->back_offset)
        return SHM_BAD;
    pair->view = *view;
    pair->out_back = (const void *)(view->base + offer->back_offset);
    shm_ring_enter(pair, offer->ring_offset, offer->ring_slots);
    pair->is_joined = true;
    return SHM_OK;
}

bool shm_pair_is_joined(const struct shm_pair *pair)
{
    return pair->is_joined;
}

void shm_pair_free(struct shm_pair *pair)
{
    const struct shm_view view = pair->view;
    const bool was_joined = pair->is_joined;
    mem_free(pair->in_pieces);
    mem_free(pair->allocation);
    if (was_joined)
        view.gone(view.context);
}

void shm_pair_close(struct shm_pair *pair)
{
    CHECK(!pair->is_closed);
    pair->is_closed = true;
    shm_lend_fini(pair);
    shm_ring_fini(pair);
    buf_drop(pair->back_buf);
    shm_borrow_fini(pair);
}

/* ---- sending ---- */

/* Moves of fixed size that overlap: nothing beyond |length| (25 at least) is read. */
static inline void copy_more(uint8_t *to, const uint8_t *from, size_t length)
{
    memcpy(to, from, 16);
    for (size_t i = 16; i + 16 < length; i += 16)
        memcpy(to + i, from + i, 16);
    memcpy(to + length - 16, from + length - 16, 16);
}

/* The same for at most SHM_INLINE_FIRST_LINE. */
static inline void copy_small(uint8_t *to, const uint8_t *from, size_t length)
{
    if (length >= 8) {
        memcpy(to, from, 8);
        if (length > 16)
            memcpy(to + 8, from + 8, 8);
        memcpy(to + length - 8, from + length - 8, 8);
    } else if (length >= 4) {
        memcpy(to, from, 4);
        memcpy(to + length - 4, from + length - 4, 4);
    } else if (length > 0) {
        to[0] = from[0];
        to[length / 2] = from[length / 2];
        to[length - 1] = from[length - 1];
    }
}

static inline void fill_head(struct shm_slot *slot, const struct parcel *parcel,
                             enum shm_kind kind, uint8_t flags, size_t count)
{
    slot->kind = (uint8_t)kind;
    slot->flags = flags;
    slot->count = (uint16_t)count;
    slot->tag = parcel->tag;
    slot->context = parcel->context;
    slot->sequence = parcel->sequence;
    slot->time = parcel->time;
    slot->encoding = parcel->encoding;
}

void shm_slot_fill_head(struct shm_slot *slot, const struct parcel *parcel, enum shm_kind kind,
                        size_t count)
{
    const bool has_extra = (parcel->wait_id | parcel->party) != 0;
    fill_head(slot, parcel, kind,
              (uint8_t)((has_extra ? SHM_HAS_EXTRA : 0) | (parcel->is_mcast ? SHM_IS_MCAST : 0)),
              count);
    if (has_extra) {
        slot->wait_id = parcel->wait_id;
        slot->party = parcel->party;
    }
}

static void gather(uint8_t *to, const struct parcel *parcel)
{
    size_t done = 0;
    for (size_t i = 0; i < parcel->piece_count; i++) {
        const struct slice *piece = &parcel->pieces[i];
        CHECK(piece->length <= parcel->length - done);
        if (piece->length > 0)
            memcpy(to + done, piece->data, piece->length);
        done += piece->length;
    }
}

static inline void copy_inline(uint8_t *to, const uint8_t *from, size_t length)
{
    if (length <= SHM_INLINE_FIRST_LINE)
        copy_small(to, from, length);
    else
        copy_more(to, from, length);
}

/* What needs room first, has a party, or comes in pieces. */
static SHM_NOINLINE enum shm_result send_other(struct shm_pair *pair, const struct parcel *parcel)
{
    if (parcel->length > SHM_INLINE_BYTES_MAX || parcel->is_mcast)
        return shm_lend(pair, parcel);
    const enum shm_result room = shm_ring_room(pair);
    if (room != SHM_OK)
        return room;
    struct shm_slot *slot = pair->out_slot;
    SHM_POINT("slot before");
    shm_slot_fill_head(slot, parcel, SHM_BYTES, parcel->length);
    if (parcel->bytes)
        copy_inline(slot->payload, parcel->bytes, parcel->length);
    else
        gather(slot->payload, parcel);
    shm_ring_publish(pair, slot);
    return SHM_OK;
}

enum shm_result shm_pair_send(struct shm_pair *pair, const struct parcel *parcel)
{
    const size_t length = parcel->length;
    const uint8_t *bytes = parcel->bytes;
    if (SHM_UNLIKELY(length > SHM_INLINE_BYTES_MAX || !bytes ||
                     (parcel->wait_id | parcel->party | parcel->is_mcast) != 0 ||
                     pair->out_next == pair->out_limit))
        return send_other(pair, parcel);
    struct shm_slot *slot = pair->out_slot;
    SHM_POINT("slot before");
    fill_head(slot, parcel, SHM_BYTES, 0, length);
    copy_inline(slot->payload, bytes, length);
    shm_ring_publish(pair, slot);
    return SHM_OK;
}

/* ---- receiving ---- */

/* Whether the message or order in |slot|, of which the first line was copied, needs the second. */
static bool needs_second_line(const struct shm_slot *slot)
{
    return (slot->flags & SHM_HAS_EXTRA) || slot->kind == SHM_LIST ||
           (slot->kind == SHM_PIECES && slot->count * 8 > SHM_INLINE_FIRST_LINE) ||
           (slot->kind == SHM_RELEASE && slot->count * 4 > SHM_INLINE_FIRST_LINE);
}

/* The slot at in_next, once. The fences keep the compiler from reading it again. */
static void copy_slot(const struct shm_pair *pair, struct shm_slot *copy)
{
    const uint8_t *from = (const uint8_t *)pair->in_slot;
    memcpy(copy, from, SHM_LINE_BYTES);
    atomic_signal_fence(memory_order_seq_cst);
    if (needs_second_line(copy)) {
        memcpy((uint8_t *)copy + SHM_LINE_BYTES, from + SHM_LINE_BYTES, SHM_LINE_BYTES);
        atomic_signal_fence(memory_order_seq_cst);
    }
}

static void fill_parcel_head(struct parcel *parcel, const struct shm_slot *slot)
{
    const bool has_extra = slot->flags & SHM_HAS_EXTRA;
    *parcel = (struct parcel){.tag = slot->tag,
                              .context = slot->context,
                              .encoding = slot->encoding,
                              .wait_id = has_extra ? slot->wait_id : 0,
                              .party = has_extra ? slot->party : 0,
                              .is_mcast = slot->flags & SHM_IS_MCAST,
                              .sequence = slot->sequence,
                              .time = slot->time};
}

static enum shm_result take_release(struct shm_pair *pair, const struct shm_slot *slot)
{
    uint32_t handles[SHM_RELEASES_MAX];
    if (slot->count == 0 || slot->count > SHM_RELEASES_MAX || slot->flags != 0)
        return SHM_BAD;
    memcpy(handles, slot->payload, slot->count * sizeof(handles[0]));
    const enum shm_result result = shm_lend_back(pair, handles, slot->count);
    if (result == SHM_OK)
        shm_ring_consume(pair);
    return result;
}

/* A ring without anything but a MOVE is refused: a chain of them could keep the reader for ever. */
static enum shm_result take_move(struct shm_pair *pair, const struct shm_slot *slot)
{
    uint64_t offset;
    uint32_t slots;
    memcpy(&offset, slot->payload, sizeof(offset));
    memcpy(&slots, slot->payload + sizeof(offset), sizeof(slots));
    if (pair->in_next == pair->in_ring_start || !shm_ring_is_sane(&pair->view, offset, slots))
        return SHM_BAD;
    SHM_POINT("move read");
    shm_ring_consume(pair);
    shm_ring_enter(pair, offset, slots);
    return SHM_OK;
}

/* What is no message: SHM_OK when it was dealt with. */
static enum shm_result take_order(struct shm_pair *pair, const struct shm_slot *slot)
{
    if (slot->kind == SHM_RELEASE)
        return take_release(pair, slot);
    return slot->kind == SHM_MOVE ? take_move(pair, slot) : SHM_BAD;
}

static bool is_order(const struct shm_slot *slot)
{
    return slot->kind == SHM_RELEASE || slot->kind == SHM_MOVE;
}

/* kind, flags and count of a slot, read at once and only once. */
struct slot_kind {
    uint8_t kind;
    uint8_t flags;
    uint16_t count;
};
_Static_assert(offsetof(struct shm_slot, kind) == 4 && offsetof(struct shm_slot, count) == 6 &&
                   sizeof(struct slot_kind) == 4,
               "one word");

static inline struct slot_kind read_kind(const struct shm_slot *slot)
{
    struct slot_kind kind;
    memcpy(&kind, (const uint8_t *)slot + offsetof(struct shm_slot, kind), sizeof(kind));
    atomic_signal_fence(memory_order_seq_cst);
    return kind;
}

/* A message in the slot itself. */
static inline bool is_plain(struct slot_kind kind)
{
    return ((kind.kind ^ SHM_BYTES) | (kind.flags & ~SHM_HAS_EXTRA)) == 0 &&
           kind.count <= SHM_INLINE_BYTES_MAX;
}

static inline enum shm_result take_plain(struct shm_pair *pair, struct slot_kind kind,
                                         struct parcel *parcel)
{
    const struct shm_slot *slot = pair->in_slot;
    memcpy(pair->in_bytes, slot->payload, SHM_INLINE_FIRST_LINE);
    if (kind.count > SHM_INLINE_FIRST_LINE)
        memcpy(pair->in_bytes + SHM_INLINE_FIRST_LINE, slot->payload + SHM_INLINE_FIRST_LINE,
               SHM_INLINE_BYTES_MAX - SHM_INLINE_FIRST_LINE);
    *parcel = (struct parcel){.tag = slot->tag,
                              .context = slot->context,
                              .encoding = slot->encoding,
                              .sequence = slot->sequence,
                              .time = slot->time,
                              .bytes = pair->in_bytes,
                              .length = kind.count};
    if (SHM_UNLIKELY(kind.flags != 0)) {
        parcel->wait_id = slot->wait_id;
        parcel->party = slot->party;
    }
    return SHM_OK;
}

/* A message by reference, an order, or nonsense is published at in_next. */
static SHM_NOINLINE enum shm_result receive_other(struct shm_pair *pair, struct parcel *parcel)
{
    CHECK(!pair->in_borrow); /* the last message was taken */
    for (;;) {
        struct shm_slot slot;
        copy_slot(pair, &slot);
        if (slot.kind == SHM_PIECES || slot.kind == SHM_LIST) {
            fill_parcel_head(parcel, &slot);
            const enum shm_result result = shm_borrow(pair, &slot, parcel);
            return result == SHM_BAD ? shm_pair_spoil(pair) : result;
        }
        if (take_order(pair, &slot) != SHM_OK)
            return shm_pair_spoil(pair);
        if (!shm_slot_is_published(pair))
            return pair->in_idle;
        const struct slot_kind kind = read_kind(pair->in_slot);
        if (is_plain(kind))
            return take_plain(pair, kind, parcel);
    }
}

enum shm_result shm_pair_receive(struct shm_pair *pair, struct parcel *parcel)
{
    if (!shm_slot_is_published(pair))
        return pair->in_idle;
    const struct slot_kind kind = read_kind(pair->in_slot);
    if (SHM_UNLIKELY(!is_plain(kind)))
        return receive_other(pair, parcel);
    return take_plain(pair, kind, parcel);
}

static SHM_NOINLINE void drop_borrow(struct shm_pair *pair)
{
    struct shm_borrow *borrow = pair->in_borrow;
    pair->in_borrow = NULL;
    buf_drop(&borrow->buf);
}

void shm_pair_taken(struct shm_pair *pair)
{
    shm_ring_consume(pair);
    if (SHM_UNLIKELY(pair->in_borrow != NULL))
        drop_borrow(pair);
}

bool shm_pair_has_news(const struct shm_pair *pair)
{
    return shm_slot_is_published(pair);
}

const void *shm_pair_next_slot(const struct shm_pair *pair)
{
    return pair->is_joined ? pair->in_slot : NULL;
}

/* ---- what is lent ---- */

enum shm_result shm_pair_release(struct shm_pair *pair)
{
    shm_ring_free_old(pair);
    return shm_borrow_give_back(pair);
}

void shm_pair_collect(struct shm_pair *pair)
{
    struct shm_slot slot;
    while (shm_slot_is_published(pair)) {
        copy_slot(pair, &slot);
        if (!is_order(&slot))
            break;
        if (take_order(pair, &slot) != SHM_OK) {
            shm_pair_spoil(pair);
            break;
        }
    }
    shm_ring_free_old(pair);
}

uint64_t shm_pair_lent_bytes(const struct shm_pair *pair)
{
    return pair->lent_bytes;
}

uint64_t shm_pair_waiting_slots(const struct shm_pair *pair)
{
    const uint64_t consumed =
        atomic_load_explicit(&pair->out_back->consumed, memory_order_acquire);
    return consumed <= pair->out_next ? pair->out_next - consumed : 0;
}
