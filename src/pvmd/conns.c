/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections of tasks: accepting, frames in, frames out. See pvmd/daemon.h and os/stream.h. */
#include "pvmd/conn.h"

#include "base/mem.h"
#include "base/str.h"
#include "os/clock.h"
#include "os/unixsock.h"
#include "pvmd/share.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    ACCEPTS_PER_TURN = 64,
    HELD_TURNS_MAX = 16 /* a task that never stops publishing is heard all the same */
};
#define ACCEPT_RETRY_NS UINT64_C(100000000)

void conn_make_ready(void *context)
{
    struct conn *conn = context;
    if (list_is_empty(&conn->ready))
        list_push_back(&conn->daemon->ready_conns, &conn->ready);
}

static void conn_destroy(struct conn *conn)
{
    map_remove(&conn->daemon->conns, conn->number);
    list_remove(&conn->ready);
    share_free(conn);
    slice_drop(&conn->held);
    stream_destroy(conn->stream);
    mem_free(conn);
}

/* ---- from the task ---- */

static size_t frame_bytes(const uint8_t *bytes)
{
    struct frame_header header;
    return frame_header_decode(bytes, &header) < 0 ? 0 : FRAME_HEADER_BYTES + (size_t)header.length;
}

static bool is_message(const struct frame *frame, enum message_type type)
{
    struct rd rd = rd_init(frame->body.data, frame->body.length);
    return frame->kind == FRAME_CONTROL && rd_u16(&rd) == type;
}

/* What a task says comes after what it published before, and its leaving must: nothing is read
 * afterwards. */
static bool must_wait(const struct conn *conn, const struct frame *frame)
{
    if (frame->kind != FRAME_CONTROL || share_is_read(conn))
        return false;
    return is_message(frame, TM_EXIT) ||
           (conn->held_turns < HELD_TURNS_MAX && !share_is_paused(conn));
}

static void feed(struct conn *conn, const struct frame *frame)
{
    struct event event = {.kind = EVENT_CONN_FRAME, .conn = conn->number, .frame = *frame};
    if (is_message(frame, TM_ATTACH))
        event.fds = share_accept(conn);
    daemon_event(conn->daemon, &event);
}

static void pause_as_needed(struct conn *conn)
{
    stream_pause(conn->stream, conn->is_paused || conn->held.buf);
}

static void got_frame(void *context, struct slice raw)
{
    struct conn *conn = context;
    struct frame frame;
    if (frame_from_raw(raw, &frame) < 0)
        return; /* cannot be: frame_bytes() has looked at the header */
    if (must_wait(conn, &frame))
        share_turn(conn);
    if (must_wait(conn, &frame)) {
        conn->held = slice_hold(raw);
        conn->held_turns = 0;
        pause_as_needed(conn);
        conn_make_ready(conn);
    } else {
        feed(conn, &frame);
    }
    frame_drop(&frame);
}

static void feed_held(struct conn *conn)
{
    struct frame frame;
    conn->held_turns++;
    if (conn->is_cut || frame_from_raw(conn->held, &frame) < 0) {
        slice_drop(&conn->held);
        return;
    }
    if (!must_wait(conn, &frame)) {
        slice_drop(&conn->held);
        conn->held_turns = 0;
        pause_as_needed(conn);
        feed(conn, &frame);
    }
    frame_drop(&frame);
}

void conn_lost(struct conn *conn, const char *why)
{
    if (conn->has_ended)
        return;
    conn->has_ended = true;
    str_copy(conn->why, sizeof(conn->why), why);
    conn_make_ready(conn);
}

static void got_closed(void *context, const char *why)
{
    conn_lost(context, why);
}

/* The end is told when all was read that came before it. */
static void tell_end(struct conn *conn)
{
    struct event event = {.kind = EVENT_CONN_CLOSED, .conn = conn->number, .text = conn->why};
    conn->dead = true;
    daemon_event(conn->daemon, &event);
}

/* The origin of a queued frame fits the mark exactly. */
static struct stream_mark mark_of(const struct origin *origin)
{
    return (struct stream_mark){.a = origin->peer,
                                .b = (uint64_t)origin->source << 32 | origin->destination};
}

static void got_taken(void *context, uint64_t bytes, struct stream_mark mark)
{
    struct conn *conn = context;
    struct event event = {
        .kind = EVENT_CONN_TAKEN,
        .conn = conn->number,
        .count = bytes,
        .origin = {.peer = mark.a,
                   .source = (uint32_t)(mark.b >> 32),
                   .destination = (uint32_t)mark.b},
    };
    if (mark.a != CONN_MARK_UNCOUNTED.a)
        daemon_event(conn->daemon, &event);
}

static void got_written(void *context)
{
    share_wrote(context);
}

/* ---- accepting ---- */

static void conn_open(struct daemon *daemon, int fd, uint32_t pid)
{
    struct stream_handler handler = {.header_bytes = FRAME_HEADER_BYTES,
                                     .frame_bytes = frame_bytes,
                                     .frame = got_frame,
                                     .closed = got_closed,
                                     .taken = got_taken,
                                     .written = got_written,
                                     .ready = conn_make_ready};
    struct conn *conn = mem_calloc(1, sizeof(*conn));
    handler.context = conn;
    struct stream *stream = conn ? stream_create(daemon->loop, fd, &handler) : NULL;
    if (!stream) {
        log_line(daemon->log, LOG_LEVEL_WARN, "process %u: no memory for its connection", pid);
        mem_free(conn);
        close(fd);
        return;
    }
    *conn = (struct conn){
        .daemon = daemon, .number = daemon->next_conn++, .pid = pid, .stream = stream};
    list_init(&conn->ready);
    if (map_put(&daemon->conns, conn->number, conn) < 0) {
        conn_destroy(conn);
        return;
    }
    struct event event = {.kind = EVENT_CONN_OPENED, .conn = conn->number, .pid = pid};
    daemon_event(daemon, &event);
}

static void listener_ready(void *context, int events)
{
    struct daemon *daemon = context;
    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && daemon->listener_watch; i++) {
        int fd;
        uint32_t pid, uid;
        switch (unixsock_accept(daemon->listener, &fd, &pid, &uid)) {
        case UNIXSOCK_ACCEPTED:
            conn_open(daemon, fd, pid);
            break;
        case UNIXSOCK_NONE:
            return;
        case UNIXSOCK_STRANGER:
            log_line(daemon->log, LOG_LEVEL_WARN, "user %u, process %u: refused, not our user", uid,
                     pid);
            break;
        case UNIXSOCK_EXHAUSTED:
            log_line(daemon->log, LOG_LEVEL_WARN, "cannot take a connection: %s; trying again",
                     strerror(errno));
            loop_watch_set(daemon->listener_watch, 0);
            loop_timer_set(daemon->listener_retry, clock_now_ns() + ACCEPT_RETRY_NS);
            return;
        }
    }
}

static void listener_again(void *context)
{
    struct daemon *daemon = context;
    if (daemon->listener_watch)
        loop_watch_set(daemon->listener_watch, LOOP_READABLE);
}

int conns_start(struct daemon *daemon)
{
    daemon->listener_retry = loop_timer_open(daemon->loop, listener_again, daemon);
    daemon->listener_watch = loop_watch_open(daemon->loop, daemon->listener, listener_ready,
                                             daemon);
    if (!daemon->listener_watch || !daemon->listener_retry)
        return -1;
    loop_watch_set(daemon->listener_watch, LOOP_READABLE);
    return 0;
}

/* ---- turns ---- */

static bool conn_turn(struct conn *conn)
{
    bool more = share_turn(conn);
    if (conn->held.buf)
        feed_held(conn);
    more = stream_turn(conn->stream) || more;
    if (conn->has_ended && !conn->dead && !conn->held.buf && share_is_read(conn))
        tell_end(conn);
    return more;
}

bool conns_turn(struct daemon *daemon)
{
    struct list now;
    list_init(&now);
    list_splice_back(&now, &daemon->ready_conns);
    while (!list_is_empty(&now)) {
        struct conn *conn = LIST_ENTRY(list_first(&now), struct conn, ready);
        list_remove(&conn->ready);
        bool more = !conn->dead && conn_turn(conn);
        if (conn->dead || stream_is_finished(conn->stream))
            conn_destroy(conn);
        else if (more)
            conn_make_ready(conn);
    }
    return !list_is_empty(&daemon->ready_conns);
}

bool conns_have_pid(const struct daemon *daemon, uint32_t pid)
{
    for (size_t i = 0; i < daemon->conns.count; i++)
        if (((const struct conn *)daemon->conns.entries[i].value)->pid == pid)
            return true;
    return false;
}

void conns_close(struct daemon *daemon)
{
    loop_watch_close(daemon->listener_watch);
    daemon->listener_watch = NULL;
    for (size_t i = 0; i < daemon->conns.count; i++) {
        struct conn *conn = daemon->conns.entries[i].value;
        stream_close_after_flush(conn->stream);
        conn_make_ready(conn);
    }
}

bool conns_are_flushed(const struct daemon *daemon)
{
    return daemon->conns.count == 0;
}

void conns_drop(struct daemon *daemon)
{
    while (daemon->conns.count > 0)
        conn_destroy(daemon->conns.entries[daemon->conns.count - 1].value);
}

void conns_destroy(struct daemon *daemon)
{
    conns_drop(daemon);
    map_fini(&daemon->conns);
    loop_watch_close(daemon->listener_watch);
    loop_timer_close(daemon->listener_retry);
    daemon->listener_watch = NULL;
    daemon->listener_retry = NULL;
}

/* ---- effects ---- */

void perform_conn_send(struct daemon *daemon, struct effect *effect)
{
    struct conn *conn = map_get(&daemon->conns, effect->conn);
    if (!conn || conn->dead || share_write(conn, effect))
        return;
    const struct frame *frame = &effect->frame;
    struct fds *fds = share_fds(daemon, effect->fds_of);
    uint8_t header[FRAME_HEADER_BYTES];
    int result;
    if (frame->raw.buf) {
        result = stream_send(conn->stream, NULL, 0, frame->raw, mark_of(&effect->origin));
    } else {
        frame_header_encode(frame, header);
        result = stream_send_fds(conn->stream, header, sizeof(header), frame->body, fds,
                                 mark_of(&effect->origin));
    }
    conn_make_ready(conn);
    if (result < 0)
        conn_lost(conn, "no memory for what is sent to it"); /* a gap would break the order */
}

void perform_conn_pause(struct daemon *daemon, struct effect *effect)
{
    struct conn *conn = map_get(&daemon->conns, effect->conn);
    if (!conn)
        return;
    conn->is_paused = effect->flag;
    pause_as_needed(conn);
    if (!effect->flag)
        conn_make_ready(conn); /* frames may wait in its buffer */
}

void perform_conn_close(struct daemon *daemon, struct effect *effect)
{
    struct conn *conn = map_get(&daemon->conns, effect->conn);
    if (!conn)
        return;
    conn->is_cut = true;
    stream_close_after_flush(conn->stream);
    conn_make_ready(conn);
}
