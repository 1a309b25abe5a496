/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bodies for tests of the pair: known bytes in pieces of every kind (memory of one's own, blocks of
 * the segment, both), and the check that what came is what was sent.
 */
#ifndef TESTS_SHM_BODIES_H
#define TESTS_SHM_BODIES_H

#include "pair_pair.h"

enum { BODY_PIECES_MAX = 200, BODY_OWN = 1, BODY_FOREIGN = 2, BODY_MIXED = 3 };

struct made_body {
    struct slice pieces[BODY_PIECES_MAX];
    uint8_t *foreign[BODY_PIECES_MAX];
    size_t count;
    size_t length;
};

static inline uint8_t body_byte(uint64_t seed, size_t at)
{
    return (uint8_t)(seed * 31 + at + (at >> 8) * 7);
}

static inline void body_write(uint8_t *to, size_t length, uint64_t seed, size_t at)
{
    for (size_t i = 0; i < length; i++)
        to[i] = body_byte(seed, at + i);
}

/* |count| pieces of |piece_length| bytes. False without memory; drop it in any case. */
static inline bool body_make_pieces(struct made_body *body, struct ground *ground, int kind,
                                    size_t count, size_t piece_length, uint64_t seed)
{
    memset(body, 0, sizeof(*body));
    for (size_t i = 0; i < count; i++) {
        struct slice *piece = &body->pieces[i];
        const bool is_own = kind == BODY_OWN || (kind == BODY_MIXED && i % 2 == 0);
        uint8_t *bytes;
        body->count = i + 1;
        if (is_own) {
            piece->buf = shm_heap_get(ground->heap, piece_length);
            if (!piece->buf || piece->buf->capacity < piece_length)
                return false;
            bytes = piece->buf->data;
        } else {
            bytes = body->foreign[i] = malloc(piece_length ? piece_length : 1);
            CHECK(bytes);
        }
        body_write(bytes, piece_length, seed, body->length);
        piece->data = bytes;
        piece->length = piece_length;
        body->length += piece_length;
    }
    return true;
}

static inline void body_drop(struct made_body *body)
{
    for (size_t i = 0; i < body->count; i++) {
        buf_drop(body->pieces[i].buf);
        free(body->foreign[i]);
    }
    memset(body, 0, sizeof(*body));
}

static inline struct parcel body_parcel(const struct made_body *body, uint64_t sequence)
{
    return (struct parcel){.tag = (int32_t)sequence,
                           .sequence = sequence,
                           .time = sequence + 1,
                           .pieces = body->pieces,
                           .piece_count = body->count,
                           .length = body->length};
}

static inline bool bytes_are(const uint8_t *bytes, size_t length, uint64_t seed, size_t at)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != body_byte(seed, at + i))
            return false;
    return true;
}

static inline bool parcel_is(const struct parcel *parcel, uint64_t seed, size_t length)
{
    size_t at = 0;
    if (parcel->length != length)
        return false;
    if (parcel->bytes)
        return bytes_are(parcel->bytes, length, seed, 0);
    for (size_t i = 0; i < parcel->piece_count; i++) {
        if (!bytes_are(parcel->pieces[i].data, parcel->pieces[i].length, seed, at))
            return false;
        at += parcel->pieces[i].length;
    }
    return at == length;
}

/* Drops a reference to each piece, as a holder would. */
static inline void hold_pieces(const struct parcel *parcel, struct slice *held)
{
    for (size_t i = 0; i < parcel->piece_count; i++)
        held[i] = slice_hold(parcel->pieces[i]);
}

#endif
