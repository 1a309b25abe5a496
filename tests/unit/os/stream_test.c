/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames over a socket: cut anywhere, paused, broken, too many for the other side. */
#include "os/stream.h"

#include "base/mem.h"
#include "tap.h"
#include "until.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

/* Test frames: 4 bytes big-endian length of all, then bytes. */
enum { HEADER = 4, FRAMES_MAX = 4096, FRAME_MAX = 1024 * 1024 };

static struct loop *loop;

struct owner {
    struct stream *stream;
    int peer; /* the other end */
    size_t frames;
    size_t lengths[FRAMES_MAX];
    uint8_t firsts[FRAMES_MAX];
    bool intact;
    size_t pause_after;
    size_t close_after;
    int closed;
    char why[128];
    uint64_t taken;
    size_t takes;
    uint64_t last_mark;
    bool ready;
    size_t wanted;
    size_t writes;
};

static size_t frame_bytes(const uint8_t *h)
{
    size_t length = (size_t)h[0] << 24 | (size_t)h[1] << 16 | (size_t)h[2] << 8 | h[3];
    return length < HEADER || length > FRAME_MAX ? 0 : length;
}

static void got_frame(void *context, struct slice raw)
{
    struct owner *owner = context;
    if (owner->frames < FRAMES_MAX) {
        owner->lengths[owner->frames] = raw.length;
        owner->firsts[owner->frames] = raw.length > HEADER ? raw.data[HEADER] : 0;
    }
    for (size_t i = HEADER; i < raw.length; i++)
        if (raw.data[i] != raw.data[HEADER])
            owner->intact = false;
    owner->frames++;
    if (owner->pause_after && owner->frames == owner->pause_after)
        stream_pause(owner->stream, true);
    if (owner->close_after && owner->frames == owner->close_after)
        stream_close_after_flush(owner->stream);
}

static void got_closed(void *context, const char *why)
{
    struct owner *owner = context;
    owner->closed++;
    snprintf(owner->why, sizeof(owner->why), "%s", why);
}

static void got_taken(void *context, uint64_t bytes, struct stream_mark mark)
{
    struct owner *owner = context;
    owner->taken += bytes;
    owner->takes++;
    owner->last_mark = mark.a;
}

static void got_written(void *context)
{
    ((struct owner *)context)->writes++;
}

static void got_ready(void *context)
{
    ((struct owner *)context)->ready = true;
}

static void owner_open(struct owner *owner)
{
    int ends[2];
    *owner = (struct owner){.intact = true};
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    struct stream_handler handler = {.context = owner,
                                     .header_bytes = HEADER,
                                     .frame_bytes = frame_bytes,
                                     .frame = got_frame,
                                     .closed = got_closed,
                                     .taken = got_taken,
                                     .written = got_written,
                                     .ready = got_ready};
    owner->peer = ends[1];
    owner->stream = stream_create(loop, ends[0], &handler);
}

static void owner_close(struct owner *owner)
{
    stream_destroy(owner->stream);
    if (owner->peer >= 0)
        close(owner->peer);
}

static void turn(struct owner *owner)
{
    while (owner->ready) {
        owner->ready = false;
        if (stream_turn(owner->stream))
            owner->ready = true;
    }
}

static bool is_ready(void *context)
{
    return ((struct owner *)context)->ready;
}

/* Waits for the socket and takes one turn. */
static void wait_and_turn(struct owner *owner)
{
    until(loop, is_ready, owner);
    turn(owner);
}

static bool has_frames(void *context)
{
    struct owner *owner = context;
    turn(owner);
    return owner->frames >= owner->wanted;
}

static bool is_closed(void *context)
{
    struct owner *owner = context;
    turn(owner);
    return owner->closed > 0;
}

static size_t put_frame(uint8_t *at, size_t length, uint8_t fill)
{
    at[0] = (uint8_t)(length >> 24);
    at[1] = (uint8_t)(length >> 16);
    at[2] = (uint8_t)(length >> 8);
    at[3] = (uint8_t)length;
    memset(at + HEADER, fill, length - HEADER);
    return length;
}

static void test_cut_anywhere(void)
{
    struct owner owner;
    uint8_t bytes[64];
    size_t length = put_frame(bytes, 4, 0);
    length += put_frame(bytes + length, 20, 7);
    length += put_frame(bytes + length, 9, 8);
    owner_open(&owner);
    for (size_t i = 0; i < length; i++) {
        OK(write(owner.peer, bytes + i, 1) == 1, "one byte");
        wait_and_turn(&owner);
    }
    EQUAL(owner.frames, 3, "three frames that came byte by byte");
    OK(owner.lengths[0] == 4 && owner.lengths[1] == 20 && owner.lengths[2] == 9, "whole");
    OK(owner.intact && owner.firsts[1] == 7 && owner.firsts[2] == 8, "and unchanged");
    owner_close(&owner);
}

static void test_many_and_large(void)
{
    /* Frames of growing size, the largest larger than a read buffer, written as fast as they go. */
    struct owner owner;
    owner_open(&owner);
    uint8_t *bytes = mem_alloc(FRAME_MAX);
    size_t sent = 0;
    for (size_t size = 5; size < FRAME_MAX; size = size * 3 / 2 + 1, sent++) {
        size_t length = put_frame(bytes, size, (uint8_t)size), at = 0;
        while (at < length) {
            ssize_t put = write(owner.peer, bytes + at, length - at);
            at += put > 0 ? (size_t)put : 0;
            wait_and_turn(&owner);
        }
    }
    owner.wanted = sent;
    OK(until(loop, has_frames, &owner), "all frames come");
    OK(owner.intact, "unchanged");
    EQUAL(buf_live_count(), 1, "only the buffer being filled is held");
    mem_free(bytes);
    owner_close(&owner);
    EQUAL(buf_live_count(), 0, "and nothing after the end");
}

static void test_bad_frame(void)
{
    struct owner owner;
    uint8_t bytes[] = {0, 0, 0, 5, 1, 0xff, 0xff, 0xff, 0xff, 1, 2, 3};
    owner_open(&owner);
    OK(write(owner.peer, bytes, sizeof(bytes)) == sizeof(bytes), "a frame, then rubbish");
    OK(until(loop, is_closed, &owner), "the connection is given up");
    EQUAL(owner.frames, 1, "after the good frame");
    SAME_TEXT(owner.why, "sent bytes that are no frame", "with words");
    owner_close(&owner);
}

static void test_end_after_data(void)
{
    struct owner owner;
    uint8_t bytes[16];
    size_t length = put_frame(bytes, 8, 3);
    owner_open(&owner);
    OK(write(owner.peer, bytes, length) == (ssize_t)length, "a last frame");
    close(owner.peer);
    owner.peer = -1;
    OK(until(loop, is_closed, &owner), "and the end");
    EQUAL(owner.frames, 1, "the frame is not lost");
    EQUAL(owner.closed, 1, "the end is said once");
    owner_close(&owner);
}

static void test_pause(void)
{
    struct owner owner;
    uint8_t bytes[64];
    size_t length = 0;
    for (int i = 0; i < 5; i++)
        length += put_frame(bytes + length, 6, (uint8_t)i);
    owner_open(&owner);
    owner.pause_after = 2;
    OK(write(owner.peer, bytes, length) == (ssize_t)length, "five frames in one piece");
    close(owner.peer);
    owner.peer = -1;
    owner.wanted = 2;
    OK(until(loop, has_frames, &owner), "two come");
    turn(&owner);
    EQUAL(owner.frames, 2, "and no more while paused");
    EQUAL(owner.closed, 0, "nor the end");
    owner.pause_after = 0;
    stream_pause(owner.stream, false);
    owner.ready = true;
    OK(until(loop, is_closed, &owner), "resumed, the rest and the end come");
    EQUAL(owner.frames, 5, "all of it");
    owner_close(&owner);
}

static uint64_t drain(int fd)
{
    uint8_t bytes[65536];
    uint64_t total = 0;
    ssize_t got;
    while ((got = read(fd, bytes, sizeof(bytes))) > 0)
        total += (uint64_t)got;
    return total;
}

static void test_slow_reader(void)
{
    struct owner owner;
    enum { COUNT = 1000, SIZE = 10000, HEAD = 24 };
    uint8_t header[HEAD] = {0};
    uint64_t total = 0;
    owner_open(&owner);
    /* Each frame is a small part of a large buffer, as when it was read with many others. */
    for (uint64_t i = 0; i < COUNT; i++) {
        struct buf *buf = buf_create(100 * SIZE);
        memset(buf->data, (int)i, SIZE);
        struct slice body = slice_of(buf, 0, SIZE);
        EQUAL(stream_send(owner.stream, header, HEAD, body, (struct stream_mark){.a = i / 100}), 0,
              "queued");
        slice_drop(&body);
        buf_drop(buf);
    }
    EQUAL(stream_queued_bytes(owner.stream), COUNT * (SIZE + HEAD), "all is queued");
    stream_turn(owner.stream);
    OK(stream_queued_bytes(owner.stream) > 0, "the socket takes a part");
    for (int i = 0; i < 100000 && total < COUNT * (SIZE + HEAD); i++) {
        total += drain(owner.peer);
        if (stream_queued_bytes(owner.stream) > 0)
            wait_and_turn(&owner);
    }
    EQUAL(total, COUNT * (SIZE + HEAD), "the reader gets every byte");
    EQUAL(owner.taken, COUNT * (SIZE + HEAD), "each is reported taken");
    EQUAL(owner.last_mark, 9, "under its mark, in order");
    OK(owner.takes < COUNT, "several frames of one mark at a time");
    EQUAL(stream_queued_bytes(owner.stream), 0, "nothing is left");
    owner_close(&owner);
}

static void test_waiting_frames_give_back_their_buffers(void)
{
    struct owner owner;
    owner_open(&owner);
    struct buf *large = buf_create(STREAM_CHUNK_BYTES);
    memset(large->data, 0, large->capacity);
    for (int i = 0; i < 20000; i++) {
        struct slice body = slice_of(large, (size_t)i, 100);
        stream_send(owner.stream, NULL, 0, body, (struct stream_mark){0});
        slice_drop(&body);
    }
    stream_turn(owner.stream);
    OK(stream_queued_bytes(owner.stream) > 0, "a reader that does not read");
    EQUAL(large->references, 1, "what waits was copied; the large buffer is free");
    buf_drop(large);
    owner_close(&owner);
    EQUAL(buf_live_count(), 0, "all is freed with the stream");
}

static void test_reader_gone(void)
{
    struct owner owner;
    owner_open(&owner);
    uint8_t bytes[16];
    size_t length = put_frame(bytes, 8, 3);
    OK(write(owner.peer, bytes, length) == (ssize_t)length, "a frame, then the reader goes");
    close(owner.peer);
    owner.peer = -1;
    struct slice body = slice_copy("hello", 5);
    stream_send(owner.stream, NULL, 0, body, (struct stream_mark){.a = 1});
    slice_drop(&body);
    owner.ready = true;
    OK(until(loop, is_closed, &owner), "the end is seen");
    EQUAL(owner.frames, 1, "after what it had sent");
    EQUAL(owner.taken, 5, "what can never be written counts as taken");
    owner_close(&owner);
}

static void test_close_after_flush(void)
{
    struct owner owner;
    owner_open(&owner);
    struct slice body = slice_copy("bye", 3);
    stream_send(owner.stream, NULL, 0, body, (struct stream_mark){0});
    slice_drop(&body);
    stream_close_after_flush(owner.stream);
    OK(!stream_is_finished(owner.stream), "not finished before it was written");
    stream_turn(owner.stream);
    OK(stream_is_finished(owner.stream), "then finished");
    char got[8] = "";
    OK(read(owner.peer, got, sizeof(got)) == 3 && strcmp(got, "bye") == 0, "and it was written");
    owner_close(&owner);
}

static struct buf *lent;

static void lent_back(struct buf *buf)
{
    lent = buf;
}

static void test_lent_bodies_stay_where_they_are(void)
{
    struct owner owner;
    static uint8_t memory[64 * 1024];
    owner_open(&owner);
    struct buf large = {.references = 1, .capacity = sizeof(memory), .data = memory,
                        .release = lent_back};
    for (int i = 0; i < 20000; i++) {
        struct slice body = slice_of(&large, (size_t)i, 100);
        stream_send(owner.stream, NULL, 0, body, (struct stream_mark){0});
        slice_drop(&body);
    }
    stream_turn(owner.stream);
    OK(stream_queued_bytes(owner.stream) > 0, "a reader that does not read");
    OK(large.references > 1, "what waits is not copied out of memory that is not ours");
    buf_drop(&large);
    OK(lent == NULL, "it is held");
    owner_close(&owner);
    OK(lent == &large, "and given back at the end");
}

#ifdef PLATFORM_LINUX
/* Tells whether |fd| is the other end of |pipe_end|, a pipe's writing end. */
static bool leads_to(int pipe_end, int fd)
{
    char got = 0;
    return write(pipe_end, "!", 1) == 1 && read(fd, &got, 1) == 1 && got == '!';
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static int open_count(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += is_open(fd);
    return count;
}

static void send_with(int socket, const void *bytes, size_t length, const int *items, size_t count)
{
    struct iovec part = {(void *)(uintptr_t)bytes, length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    struct fds fds = {.references = 1, .count = count};
    memcpy(fds.items, items, count * sizeof(*items));
    OK(fds_send(socket, &message, &fds) == (ssize_t)length, "sent with descriptors");
}

static void test_descriptors_come(void)
{
    struct owner owner;
    int ends[2], got[FDS_MAX];
    uint8_t bytes[64];
    size_t length = put_frame(bytes, 8, 3);
    owner_open(&owner);
    EQUAL(pipe(ends), 0, "a pipe");
    OK(write(owner.peer, bytes, length) == (ssize_t)length, "a frame without");
    send_with(owner.peer, bytes, length, (int[]){ends[0], ends[0], ends[0]}, 3);
    OK(write(owner.peer, bytes, length) == (ssize_t)length, "and one more without");
    owner.wanted = 3;
    OK(until(loop, has_frames, &owner), "three frames");
    EQUAL(stream_take_fds(owner.stream, got), 3, "and three descriptors");
    OK(leads_to(ends[1], got[0]) && leads_to(ends[1], got[2]), "those that were sent");
    OK(fcntl(got[0], F_GETFD) & FD_CLOEXEC, "no child inherits them");
    EQUAL(stream_take_fds(owner.stream, (int[FDS_MAX]){0}), 0, "they are given out once");
    fds_close(got, 3);
    close(ends[0]);
    close(ends[1]);
    owner_close(&owner);
}

static void test_unexpected_descriptors(void)
{
    struct owner owner;
    int ends[2], got[FDS_MAX];
    uint8_t bytes[64];
    size_t length = put_frame(bytes, 8, 3);
    owner_open(&owner);
    EQUAL(pipe(ends), 0, "a pipe");
    const int before = open_count();
    for (int i = 0; i < 20; i++)
        send_with(owner.peer, bytes, length, (int[]){ends[0], ends[0]}, 2);
    owner.wanted = 20;
    OK(until(loop, has_frames, &owner), "twenty frames with two each");
    EQUAL(stream_take_fds(owner.stream, got), 3, "no more than three wait");
    EQUAL(open_count(), before + 3, "the others were closed");
    fds_close(got, 3);
    send_with(owner.peer, bytes, length, (int[]){ends[0]}, 1);
    owner.wanted = 21;
    OK(until(loop, has_frames, &owner), "one more that nobody takes");
    owner_close(&owner);
    EQUAL(open_count(), before - 2, "is closed with the connection");
    close(ends[0]);
    close(ends[1]);
}

static void test_descriptors_go(void)
{
    struct owner owner;
    int ends[2], got[FDS_MAX];
    size_t count = 0;
    uint8_t bytes[64];
    owner_open(&owner);
    EQUAL(pipe(ends), 0, "a pipe");
    struct fds *fds = fds_create((int[]){ends[0], dup(ends[0])}, 2);
    struct slice body = slice_copy("frame", 5);
    stream_send(owner.stream, NULL, 0, body, (struct stream_mark){0});
    stream_send_fds(owner.stream, NULL, 0, body, fds, (struct stream_mark){0});
    stream_send(owner.stream, NULL, 0, body, (struct stream_mark){0});
    stream_send_fds(owner.stream, NULL, 0, body, fds, (struct stream_mark){0});
    fds_drop(fds);
    OK(is_open(ends[0]), "they stay open while frames wait that carry them");
    stream_turn(owner.stream);
    OK(!is_open(ends[0]), "and no longer");
    OK(owner.writes == 1, "one turn writes all");
    EQUAL(fds_receive(owner.peer, bytes, 5, got, &count), 5, "a frame");
    EQUAL(count, 0, "without");
    EQUAL(fds_receive(owner.peer, bytes, sizeof(bytes), got, &count), 10, "the next two at once");
    EQUAL(count, 2, "with those of the first");
    OK(leads_to(ends[1], got[0]) && leads_to(ends[1], got[1]), "which are right");
    fds_close(got, count);
    count = 0;
    EQUAL(fds_receive(owner.peer, bytes, sizeof(bytes), got, &count), 5, "then the last");
    EQUAL(count, 2, "with the same again");
    fds_close(got, count);
    slice_drop(&body);
    close(ends[1]);
    owner_close(&owner);
}
#endif

static void test_no_memory(void)
{
    struct owner owner;
    owner_open(&owner);
    uint8_t bytes[16];
    size_t length = put_frame(bytes, 8, 3);
    OK(write(owner.peer, bytes, length) == (ssize_t)length, "a frame comes");
    struct slice body = slice_copy("x", 1);
    OK(until(loop, is_ready, &owner), "and is seen");
    mem_fail_at(1, 1);
    EQUAL(stream_send(owner.stream, NULL, 0, body, (struct stream_mark){0}), -1,
          "sending says that there is no memory");
    turn(&owner);
    mem_fail_at(0, 0);
    slice_drop(&body);
    EQUAL(owner.closed, 1, "and a connection that cannot be read ends");
    SAME_TEXT(owner.why, "no memory to read from it", "with words");
    owner_close(&owner);
}

int main(void)
{
    loop = loop_create();
    TEST(test_cut_anywhere);
    TEST(test_many_and_large);
    TEST(test_bad_frame);
    TEST(test_end_after_data);
    TEST(test_pause);
    TEST(test_slow_reader);
    TEST(test_waiting_frames_give_back_their_buffers);
    TEST(test_reader_gone);
    TEST(test_close_after_flush);
    TEST(test_lent_bodies_stay_where_they_are);
#ifdef PLATFORM_LINUX
    TEST(test_descriptors_come);
    TEST(test_unexpected_descriptors);
    TEST(test_descriptors_go);
#endif
    TEST(test_no_memory);
    loop_destroy(loop);
    return tap_done();
}
