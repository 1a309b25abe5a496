/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counted byte buffers and slices of them: the only way bulk data moves between the layers.
 *
 * A buffer is filled by its creator and never changed once it was shared. hold/drop count
 * references; the count is not atomic: a buffer belongs to one thread. A slice holds one reference
 * to its buffer.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
    uint32_t references;
    size_t capacity; /* bytes at |data| */
    uint8_t *data;   /* directly behind this struct, unless it has another owner */
    /* NULL: made by buf_create(). Else the owner's: called by the drop of the last reference, and
     * everything, this struct too, is the owner's again. */
    void (*release)(struct buf *buf);
};

/* A window on a buffer. A zero slice ({0}) is empty and needs no drop. */
struct slice {
    struct buf *buf;
    const uint8_t *data;
    size_t length;
};

/* A buffer of |capacity| bytes with one reference, or NULL. The bytes are not initialised. */
struct buf *buf_create(size_t capacity);
void buf_hold(struct buf *buf);
/* Gives one reference back; the last one frees, or returns it to its owner. NULL is fine. */
void buf_drop(struct buf *buf);
/* A new slice over |buf|, taking a reference of its own. */
struct slice slice_of(struct buf *buf, size_t offset, size_t length);
/* A slice over a fresh copy of |bytes|; .buf is NULL when there was no memory (length then 0,
 * except that an empty copy is always fine). */
struct slice slice_copy(const void *bytes, size_t length);
struct slice slice_hold(struct slice slice);
/* Part of |slice|, with a reference of its own. */
struct slice slice_part(struct slice slice, size_t offset, size_t length);
void slice_drop(struct slice *slice);
/* Number of live buffers in this thread: for leak checks in tests and in the simulator. */
uint64_t buf_live_count(void);

#endif
