/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Private to the pair: its state, and how its parts call each other.
 *
 *   pair.c    small messages, both ways; making, joining, closing
 *   ring.c    where slots lie: a sender's growing chain of rings, a reader's way along it
 *   lend.c    large messages out: pieces, the table of what the peer may read, RELEASE taken in
 *   borrow.c  large messages in: counted slices of the peer's memory, RELEASE given out
 *
 * What a small message touches stands first, one cache line for each direction.
 */
#ifndef SHM_PAIR_STATE_H
#define SHM_PAIR_STATE_H

#include "base/check.h"
#include "shm/hints.h"
#include "shm/pair.h"
#include "shm/point.h"

#include <string.h>

/* An own ring; the last one is written to, the others are still being read. */
struct shm_ring {
    struct shm_ring *next;
    struct buf *buf;
    uint64_t end; /* the position behind its MOVE; the ring is free when the reader came so far */
};

/* The table of what is lent: a handle is an index. */
struct shm_loan {
    uint64_t bytes;
    uint32_t count; /* references held; 0 = a free entry */
    uint32_t next_free;
    union {
        struct buf *direct[SHM_PIECES_DIRECT_MAX];
        struct shm_lent_piece *many; /* when there are more */
    } bufs;
};

struct shm_lent_piece {
    struct buf *buf;
    uint64_t reference; /* shm_piece() */
};

/* A message of the peer that is read where it lies: |buf| counts its slices, and one more until
 * shm_pair_taken(). */
struct shm_borrow {
    struct buf buf;
    struct shm_pair *pair;
    struct shm_borrow *next; /* spare, or to be given back */
    uint64_t bytes;
    uint32_t handle;
};

struct shm_pair {
    /* ---- out: what a small message touches ---- */
    struct shm_slot *out_slot; /* of out_next */
    uint64_t out_next;
    uint64_t out_limit;        /* positions below it have room; the slot at it is kept for MOVE */
    struct shm_slot *out_ring;
    uint32_t out_mask;
    uint32_t out_ring_slots;
    const struct shm_back *out_back; /* the peer's */
    uint64_t out_consumed;           /* seen there last */

    /* ---- in ---- */
    const struct shm_slot *in_slot; /* of in_next; one that is never stamped when there is none */
    uint64_t in_next;
    struct shm_back *in_back; /* own */
    const struct shm_slot *in_ring;
    uint32_t in_mask;
    int in_idle;                    /* enum shm_result: what to say without a message */
    struct shm_borrow *in_borrow;   /* of the message that is not taken yet */
    uint64_t in_ring_start;         /* position of the ring's first slot */
    uint8_t in_bytes[SHM_INLINE_BYTES_MAX];

    /* ---- the rest ---- */
    bool is_bad;
    bool is_closed;
    bool is_joined;
    struct shm_heap *heap;
    struct shm_view view;
    void *cookie;
    void *allocation; /* this struct is aligned inside of it */
    struct buf *back_buf;
    uint64_t first_ring_offset; /* for the offer: the reader begins there */
    struct shm_ring *rings; /* the oldest first */
    struct shm_ring *last_ring;

    struct shm_loan *loans;
    size_t loan_capacity;
    uint32_t loan_count; /* entries in use or in the list of free ones */
    uint32_t loan_free;
    uint32_t loan_active;
    uint64_t lent_bytes;

    uint64_t borrowed;             /* living structs, except the spare ones */
    struct shm_borrow *done_first; /* to be given back */
    struct shm_borrow *done_last;
    uint32_t done_count;
    uint64_t done_bytes;
    struct shm_borrow *spare;
    uint32_t spare_count;
    struct slice in_direct[SHM_PIECES_DIRECT_MAX];
    struct slice *in_pieces; /* when there are more */
    size_t in_pieces_capacity;
};

/* ---- ring.c ---- */

extern const struct shm_slot shm_no_slot; /* never stamped */
extern const struct shm_back shm_no_back; /* of nobody: nothing is consumed */

/* The first own ring. SHM_OK or SHM_NO_MEMORY. */
enum shm_result shm_ring_init(struct shm_pair *pair);
void shm_ring_fini(struct shm_pair *pair);
/* Nothing is free below out_limit: looks again, or goes on in a larger ring. */
enum shm_result shm_ring_make_room(struct shm_pair *pair);
/* Drops rings that the peer has left. */
void shm_ring_free_old(struct shm_pair *pair);
/* |slots| slots at |offset| of the peer's segment could be a ring. */
bool shm_ring_is_sane(const struct shm_view *view, uint64_t offset, uint32_t slots);
/* The reader goes on at |offset|, with position in_next. */
void shm_ring_enter(struct shm_pair *pair, uint64_t offset, uint32_t slots);
/* Nothing is read or sent any more. Returns SHM_BAD. */
enum shm_result shm_pair_spoil(struct shm_pair *pair);

/* Publishes the slot that was filled. */
static inline void shm_ring_publish(struct shm_pair *pair, struct shm_slot *slot)
{
    const uint64_t next = pair->out_next;
    SHM_POINT("slot filled");
    atomic_store_explicit(&slot->stamp, shm_stamp(next), memory_order_release);
    SHM_POINT("slot stamped");
    pair->out_next = next + 1;
    pair->out_slot = &pair->out_ring[(next + 1) & pair->out_mask];
}

static inline enum shm_result shm_ring_room(struct shm_pair *pair)
{
    if (SHM_LIKELY(pair->out_next != pair->out_limit))
        return SHM_OK;
    return shm_ring_make_room(pair);
}

static inline bool shm_slot_is_published(const struct shm_pair *pair)
{
    SHM_POINT("stamp read");
    return atomic_load_explicit(&pair->in_slot->stamp, memory_order_acquire) ==
           shm_stamp(pair->in_next);
}

/* The reader is done with the slot at in_next. */
static inline void shm_ring_consume(struct shm_pair *pair)
{
    const uint64_t next = pair->in_next + 1;
    SHM_POINT("consumed before");
    atomic_store_explicit(&pair->in_back->consumed, next, memory_order_release);
    SHM_POINT("consumed said");
    pair->in_next = next;
    pair->in_slot = &pair->in_ring[next & pair->in_mask];
}

/* ---- lend.c ---- */

/* Sends |parcel|, whose body is not small, or has parts, by reference. */
enum shm_result shm_lend(struct shm_pair *pair, const struct parcel *parcel);
/* The peer gives |count| handles back. SHM_OK or SHM_BAD (not spoiled yet). */
enum shm_result shm_lend_back(struct shm_pair *pair, const uint32_t *handles, uint32_t count);
/* Everything comes back. */
void shm_lend_fini(struct shm_pair *pair);
/* Writes what both forms of a message have. The slot has room. */
void shm_slot_fill_head(struct shm_slot *slot, const struct parcel *parcel, enum shm_kind kind,
                        size_t count);

/* ---- borrow.c ---- */

/* |slot| is a copy, of kind PIECES or LIST: fills |parcel|'s body and in_borrow. SHM_OK,
 * SHM_NO_MEMORY, SHM_BAD (not spoiled yet). */
enum shm_result shm_borrow(struct shm_pair *pair, const struct shm_slot *slot,
                           struct parcel *parcel);
/* Publishes what is to be given back. SHM_OK, SHM_NONE, SHM_NO_MEMORY, SHM_BAD. */
enum shm_result shm_borrow_give_back(struct shm_pair *pair);
/* The pair is closed: frees what no slice needs, and the pair when none is left. */
void shm_borrow_fini(struct shm_pair *pair);
/* Frees a closed pair. */
void shm_pair_free(struct shm_pair *pair);

#endif
