/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages between this process and one other through their segments (shm/layout.h): a queue
 * without end in each direction, one writer and one reader each, and the books of what is lent.
 *
 * Sending publishes one slot: a message is there whole or not at all, whenever its sender dies. A
 * small body lies in the slot; a larger one stays in the sender's segment and is lent: the reader
 * reads it where it is, and gives it back in a RELEASE slot of its own direction. The sender alone
 * counts references. A ring that is full is followed by a larger one, so sending never waits; the
 * rings and bodies that wait are the sender's memory.
 *
 * Nothing here waits, signals or asks the time. One thread at a time, except that the peer works on
 * its side at any moment. Marked points (shm/point.h) name each step another process could see.
 */
#ifndef SHM_PAIR_H
#define SHM_PAIR_H

#include "base/buf.h"
#include "shm/heap.h"
#include "shm/layout.h"
#include "wire/parcel.h"

#include <stdbool.h>
#include <stdint.h>

enum shm_result {
    SHM_OK = 1,
    SHM_NONE = 0,
    SHM_NO_MEMORY = -1, /* nothing changed */
    SHM_BAD = -2        /* the peer broke the rules; every later call on its side says so too */
};

/* What the peer must know to join; goes through the daemon (TM_ATTACH, TM_PEER). */
struct shm_offer {
    uint64_t ring_offset;
    uint32_t ring_slots;
    uint64_t back_offset;
};

/* The peer's segment as mapped here, for reading; and what is called when the pair needs it no
 * more: after shm_pair_close(), when the last borrowed buffer was dropped. The pair is freed
 * already. */
struct shm_view {
    const uint8_t *base;
    uint64_t size_bytes;
    void *context;
    void (*gone)(void *context);
};

struct shm_pair;

/* A pair that has its ring and back block in |own| and does not know its peer yet; |cookie| is the
 * caller's (shm_pair_cookie()). NULL without memory. */
struct shm_pair *shm_pair_create(struct shm_heap *own, void *cookie);
void *shm_pair_cookie(const struct shm_pair *pair);
struct shm_offer shm_pair_offer(const struct shm_pair *pair);
/* The peer has offered. SHM_OK, or SHM_BAD: the offer makes no sense (gone() is not called). */
enum shm_result shm_pair_join(struct shm_pair *pair, const struct shm_view *view,
                              const struct shm_offer *offer);
bool shm_pair_is_joined(const struct shm_pair *pair);

/* Publishes |parcel|. Pieces inside of the own segment are lent (a reference each until the peer
 * releases them), others are copied into it. SHM_OK, SHM_NO_MEMORY (limit; or the list of a
 * multicast is longer than SHM_BLOCK_BYTES_MAX), SHM_BAD. The caller then rings the peer
 * (shm_bell_ring()). May be called before joining. Sending a large body first takes in what the
 * peer gave back, as shm_pair_collect() does. */
enum shm_result shm_pair_send(struct shm_pair *pair, const struct parcel *parcel);

/* The next message of the peer. SHM_OK: |parcel| is filled; |bytes| is valid until
 * shm_pair_taken(); of |pieces| (an array valid until shm_pair_taken()) the caller holds what it
 * keeps: each slice it holds counts, the last drop releases the message. RELEASE and MOVE are dealt
 * with inside. SHM_NONE; SHM_NO_MEMORY (again later); SHM_BAD (nothing more can be read; what was
 * read stays valid). Each message is taken before the next is received. */
enum shm_result shm_pair_receive(struct shm_pair *pair, struct parcel *parcel);
/* The message of the last shm_pair_receive() has been dealt with: its slot may be used again. */
void shm_pair_taken(struct shm_pair *pair);
/* Whether shm_pair_receive() could find something; one read of a cache line. */
bool shm_pair_has_news(const struct shm_pair *pair);
/* The next slot of the peer to be published: for prefetching. NULL before joining. */
const void *shm_pair_next_slot(const struct shm_pair *pair);

/* Publishes what the reader has done with and not yet given back: called when it is worth it (the
 * pair itself does so with every SHM_RELEASES_MAX handles or SHM_RELEASE_BYTES of bodies, without
 * a bell) and before sleeping. Also drops own rings that the peer has left. SHM_OK: something was
 * published; SHM_NONE; SHM_NO_MEMORY; SHM_BAD. */
enum { SHM_RELEASE_BYTES = 65536 };
enum shm_result shm_pair_release(struct shm_pair *pair);
/* Looks through what the peer published for RELEASE slots only as far as messages do not stand
 * before them; for a sender that needs memory. */
void shm_pair_collect(struct shm_pair *pair);
/* Bytes of bodies the peer has not given back, and slots it has not taken. */
uint64_t shm_pair_lent_bytes(const struct shm_pair *pair);
uint64_t shm_pair_waiting_slots(const struct shm_pair *pair);

/* The peer is gone: everything lent to it comes back, its ring is not read again (drain it before).
 * What it lent stays readable until dropped. Own rings and back block return to the heap. */
void shm_pair_close(struct shm_pair *pair);

#endif
