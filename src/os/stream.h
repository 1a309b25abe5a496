/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One connection of a task: frames in, frames out, over a non-blocking stream socket.
 *
 * In: bytes are read in big pieces into counted buffers and whole frames are handed out as slices
 * of them, so a frame is copied once, by the system. Out: frames are queued as slices and written
 * many at a time. What a frame is, its owner says by |frame_bytes|: this file knows nothing of
 * their contents.
 *
 * Descriptors that come with frames wait here until the owner takes them: as many as FDS_MAX,
 * others are closed. Which frame they came with the owner must know from its contents.
 *
 * Nothing here calls back from inside stream_send(), stream_pause() or stream_close_after_flush().
 */
#ifndef OS_STREAM_H
#define OS_STREAM_H

#include "base/buf.h"
#include "os/fds.h"
#include "os/loop.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STREAM_CHUNK_BYTES = 4 *
                         (64 * 1024 + 24),    /* one read, one buffer: four of the largest frames */
    STREAM_READ_BYTES_PER_TURN = 1024 * 1024, /* then others have their turn */
    STREAM_WRITE_BYTES_PER_TURN = 4 * 1024 * 1024,
    STREAM_HEADER_BYTES_MAX = 32
};

/* What the owner of a queued frame wants back when it was written. */
struct stream_mark {
    uint64_t a;
    uint64_t b;
};

struct stream_handler {
    void *context;
    size_t header_bytes;
    /* Length of the frame that starts with this header, header included; 0 = no frame starts so. */
    size_t (*frame_bytes)(const uint8_t *header);
    /* One whole frame; the slice is borrowed. */
    void (*frame)(void *context, struct slice raw);
    /* The other side is gone, or sent what cannot be a frame. Comes once, last, never from inside
     * another call than stream_turn(). */
    void (*closed)(void *context, const char *why);
    /* |bytes| of queued frames with this mark were written (or can never be). From stream_turn().
     */
    void (*taken)(void *context, uint64_t bytes, struct stream_mark mark);
    /* Something was written to the socket in this turn. May be NULL. */
    void (*written)(void *context);
    /* The socket is ready: call stream_turn() soon. */
    void (*ready)(void *context);
};

struct stream;

/* Takes over |fd| on success. NULL without memory or when the descriptor cannot be watched. */
struct stream *stream_create(struct loop *loop, int fd, const struct stream_handler *handler);
/* Closes at once and drops what is queued. Not from inside a callback of this stream. */
void stream_destroy(struct stream *stream);
/* Reads if there is something to read, writes if there is something to write, as much as one turn
 * allows. True = there is more to do now. */
bool stream_turn(struct stream *stream);
/* Queues a frame: |header| (0..STREAM_HEADER_BYTES_MAX bytes, copied), then |body| (held). 0, or -1
 * without memory. */
int stream_send(struct stream *stream, const uint8_t *header, size_t header_bytes,
                struct slice body, struct stream_mark mark);
/* The same with |fds|, held until it is written. */
int stream_send_fds(struct stream *stream, const uint8_t *header, size_t header_bytes,
                    struct slice body, struct fds *fds, struct stream_mark mark);
/* The descriptors that came with what was read until now, taken over by the caller: how many. */
size_t stream_take_fds(struct stream *stream, int items[FDS_MAX]);
/* Stops and resumes handing out frames and reading. */
void stream_pause(struct stream *stream, bool paused);
/* No more frames are handed out; when what is queued has been written, the socket is closed and
 * stream_is_finished() says so. */
void stream_close_after_flush(struct stream *stream);
bool stream_is_finished(const struct stream *stream);
/* Bytes queued and not written. */
uint64_t stream_queued_bytes(const struct stream *stream);

#endif
