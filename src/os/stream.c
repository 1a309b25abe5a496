/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading and state of a task's connection: see the header. The queue of what is to be written:
 * outqueue.c. */
#include "os/stream.h"

#include "base/check.h"
#include "base/mem.h"
#include "os/outqueue.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { READ_ROOM_BYTES_MIN = 16 * 1024 /* below this a new buffer is taken for the next read */ };

struct stream {
    int fd;
    struct loop_watch *watch;
    struct stream_handler handler;
    struct buf *chunk; /* being filled; NULL before the first read */
    size_t parsed;     /* bytes of it handed out as frames */
    size_t filled;     /* bytes of it read */
    struct outqueue out;
    int fds[FDS_MAX]; /* came and were not taken yet */
    size_t fd_count;
    bool readable; /* the system may have bytes for us */
    bool blocked;  /* it takes no more from us for now */
    bool paused;
    bool ended; /* end of file or error was read: parse what is there, then say closed */
    bool said_closed;
    bool closing; /* finished once the queue is empty */
    bool broken;  /* nobody reads the other end */
    char why[128];
};

static void set_watch(struct stream *stream)
{
    bool reads = !stream->paused && !stream->ended && !stream->closing && !stream->readable;
    loop_watch_set(stream->watch,
                   (reads ? LOOP_READABLE : 0) | (stream->blocked ? LOOP_WRITABLE : 0));
}

static void on_watch(void *context, int events)
{
    struct stream *stream = context;
    if (events & LOOP_READABLE)
        stream->readable = true;
    if (events & LOOP_WRITABLE)
        stream->blocked = false;
    stream->handler.ready(stream->handler.context);
}

struct stream *stream_create(struct loop *loop, int fd, const struct stream_handler *handler)
{
    CHECK(handler->header_bytes <= STREAM_HEADER_BYTES_MAX);
    struct stream *stream = mem_calloc(1, sizeof(*stream));
    if (!stream)
        return NULL;
    stream->watch = loop_watch_open(loop, fd, on_watch, stream);
    if (!stream->watch) {
        mem_free(stream);
        return NULL;
    }
    stream->fd = fd;
    stream->handler = *handler;
    outqueue_init(&stream->out);
    loop_watch_set(stream->watch, LOOP_READABLE);
    return stream;
}

void stream_destroy(struct stream *stream)
{
    if (!stream)
        return;
    loop_watch_close(stream->watch);
    if (stream->fd >= 0)
        close(stream->fd);
    fds_close(stream->fds, stream->fd_count);
    buf_drop(stream->chunk);
    outqueue_fini(&stream->out);
    mem_free(stream);
}

static void stream_end(struct stream *stream, const char *why)
{
    if (stream->ended)
        return;
    stream->ended = true;
    size_t length = strlen(why);
    length = MIN_OF(length, sizeof(stream->why) - 1);
    memcpy(stream->why, why, length);
    stream->why[length] = '\0';
}

/* ---- reading ---- */

/* Bytes that the frame at the parse position needs in all; header_bytes while its header is not
 * complete; 0 = no frame. */
static size_t frame_need(const struct stream *stream)
{
    if (stream->filled - stream->parsed < stream->handler.header_bytes)
        return stream->handler.header_bytes;
    return stream->handler.frame_bytes(stream->chunk->data + stream->parsed);
}

/* Hands out every whole frame in the buffer. */
static void parse(struct stream *stream)
{
    while (!stream->paused && !stream->closing &&
           stream->filled - stream->parsed >= stream->handler.header_bytes) {
        size_t need = frame_need(stream);
        if (need == 0) {
            stream->parsed = stream->filled; /* nothing after this can be trusted */
            stream_end(stream, "sent bytes that are no frame");
            return;
        }
        if (stream->filled - stream->parsed < need)
            return;
        struct slice raw = slice_of(stream->chunk, stream->parsed, need);
        stream->parsed += need;
        stream->handler.frame(stream->handler.context, raw);
        slice_drop(&raw);
    }
}

/* Makes room behind the bytes read so far. A started frame moves to the new buffer: at most one
 * copy of a part of a frame for each buffer. 0 or -1 without memory. */
static int make_room(struct stream *stream)
{
    size_t rest = stream->filled - stream->parsed;
    size_t need = rest ? frame_need(stream) : 0;
    if (stream->chunk) {
        size_t room = stream->chunk->capacity - stream->filled;
        bool frame_fits = stream->parsed + need <= stream->chunk->capacity;
        if (frame_fits && (rest ? room > 0 : room >= READ_ROOM_BYTES_MIN))
            return 0;
        if (rest == 0 && stream->chunk->references == 1) { /* nobody holds a part: use it again */
            stream->parsed = stream->filled = 0;
            return 0;
        }
    }
    struct buf *fresh = buf_create(MAX_OF(need, (size_t)STREAM_CHUNK_BYTES));
    if (!fresh)
        return -1;
    if (rest)
        memcpy(fresh->data, stream->chunk->data + stream->parsed, rest);
    buf_drop(stream->chunk);
    stream->chunk = fresh;
    stream->parsed = 0;
    stream->filled = rest;
    return 0;
}

/* One read. Returns the bytes read; 0 = nothing for now, or the end. */
static size_t read_once(struct stream *stream)
{
    if (make_room(stream) < 0) {
        stream_end(stream, "no memory to read from it");
        return 0;
    }
    size_t room = stream->chunk->capacity - stream->filled;
    const size_t fds_before = stream->fd_count;
    ssize_t got = fds_receive(stream->fd, stream->chunk->data + stream->filled, room, stream->fds,
                              &stream->fd_count);
    if (got > 0) {
        stream->filled += (size_t)got;
        /* Level-triggered: if more comes we are told again. A read ends behind descriptors,
         * whatever follows them. */
        if ((size_t)got < room && stream->fd_count == fds_before)
            stream->readable = false;
        return (size_t)got;
    }
    if (got == 0)
        stream_end(stream, "closed the connection");
    else if (errno == EAGAIN || errno == EWOULDBLOCK)
        stream->readable = false;
    else if (errno != EINTR)
        stream_end(stream, strerror(errno));
    return 0;
}

static void read_turn(struct stream *stream)
{
    size_t total = 0;
    parse(stream); /* what was left when it was paused */
    while (stream->readable && !stream->paused && !stream->closing && !stream->ended &&
           total < STREAM_READ_BYTES_PER_TURN) {
        total += read_once(stream);
        parse(stream);
    }
}

/* ---- writing ---- */

static void report_taken(void *context, uint64_t bytes, struct stream_mark mark)
{
    struct stream *stream = context;
    stream->handler.taken(stream->handler.context, bytes, mark);
}

static void write_turn(struct stream *stream)
{
    if (stream->broken) {
        outqueue_drop_all(&stream->out, report_taken, stream);
        return;
    }
    const uint64_t before = stream->out.written_total;
    enum outqueue_result result = outqueue_write(&stream->out, stream->fd,
                                                 STREAM_WRITE_BYTES_PER_TURN, report_taken, stream);
    if (stream->handler.written && stream->out.written_total != before)
        stream->handler.written(stream->handler.context);
    switch (result) {
    case OUTQUEUE_OK:
        break;
    case OUTQUEUE_BLOCKED:
        stream->blocked = true;
        break;
    case OUTQUEUE_BROKEN:
        /* What the task sent before it went is still to be read; the end of file will be seen
         * there. */
        stream->broken = true;
        outqueue_drop_all(&stream->out, report_taken, stream);
        break;
    }
}

bool stream_turn(struct stream *stream)
{
    read_turn(stream);
    if (!outqueue_is_empty(&stream->out) && !stream->blocked)
        write_turn(stream);
    if (stream->ended && !stream->said_closed && !stream->paused && !stream->closing) {
        stream->said_closed = true;
        stream->handler.closed(stream->handler.context, stream->why);
    }
    set_watch(stream);
    bool reads = stream->readable && !stream->paused && !stream->closing && !stream->ended;
    return reads || (!outqueue_is_empty(&stream->out) && !stream->blocked);
}

int stream_send_fds(struct stream *stream, const uint8_t *header, size_t header_bytes,
                    struct slice body, struct fds *fds, struct stream_mark mark)
{
    CHECK(header_bytes <= STREAM_HEADER_BYTES_MAX);
    return outqueue_add(&stream->out, header, header_bytes, body, fds, mark);
}

int stream_send(struct stream *stream, const uint8_t *header, size_t header_bytes,
                struct slice body, struct stream_mark mark)
{
    return stream_send_fds(stream, header, header_bytes, body, NULL, mark);
}

size_t stream_take_fds(struct stream *stream, int items[FDS_MAX])
{
    const size_t count = stream->fd_count;
    memcpy(items, stream->fds, count * sizeof(*items));
    stream->fd_count = 0;
    return count;
}

void stream_pause(struct stream *stream, bool paused)
{
    stream->paused = paused;
    set_watch(stream);
}

void stream_close_after_flush(struct stream *stream)
{
    stream->closing = true;
    set_watch(stream);
}

bool stream_is_finished(const struct stream *stream)
{
    return stream->closing && (stream->broken || outqueue_is_empty(&stream->out));
}

uint64_t stream_queued_bytes(const struct stream *stream)
{
    return outqueue_bytes(&stream->out);
}
