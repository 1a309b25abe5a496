/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames waiting to be written to one task, in order, and their writing many at a time.
 *
 * A queued frame is a slice of the buffer it was read into. If it has to wait and is but a small
 * part of that buffer it is copied, so that what waits for a sleeping task costs its own bytes and
 * little more.
 */
#ifndef OS_OUTQUEUE_H
#define OS_OUTQUEUE_H

#include "base/buf.h"
#include "os/fds.h"
#include "os/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outqueue_item;

struct outqueue {
    struct outqueue_item *items; /* ring */
    size_t capacity;             /* power of two */
    size_t first;
    size_t count;
    size_t compacted; /* the first so many were looked at while waiting */
    size_t written;   /* bytes of the first item that are out */
    uint64_t bytes;   /* queued and not written */
    uint64_t written_total;
};

enum outqueue_result { OUTQUEUE_OK, OUTQUEUE_BLOCKED, OUTQUEUE_BROKEN };
typedef void (*outqueue_taken_f)(void *context, uint64_t bytes, struct stream_mark mark);

void outqueue_init(struct outqueue *queue);
void outqueue_fini(struct outqueue *queue);
/* Holds |body| and |fds| (NULL = none). 0, or -1 without memory. */
int outqueue_add(struct outqueue *queue, const uint8_t *header, size_t header_bytes,
                 struct slice body, struct fds *fds, struct stream_mark mark);
/* Writes up to about |bytes_max|; says |taken| for each run of whole frames with the same mark. */
enum outqueue_result outqueue_write(struct outqueue *queue, int fd, size_t bytes_max,
                                    outqueue_taken_f taken, void *context);
/* Drops everything, saying |taken| for it. */
void outqueue_drop_all(struct outqueue *queue, outqueue_taken_f taken, void *context);
bool outqueue_is_empty(const struct outqueue *queue);
uint64_t outqueue_bytes(const struct outqueue *queue);

#endif
