/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every transport must do (libpvm/xport.h), as tests that know none of them. A transport gives
 * a way to make two connected ends, and a way to put raw bytes into one end, as a peer gone mad
 * would.
 */
#ifndef TESTS_XPORT_BATTERY_H
#define TESTS_XPORT_BATTERY_H

#include "base/mem.h"
#include "libpvm/xport.h"
#include "tap.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

struct battery {
    const char *name;
    /* Two connected ends; 0 or -1. */
    int (*pair)(struct xport *ends[2]);
    /* Writes bytes that |to| will receive; |from| is its peer. */
    void (*inject)(struct xport *from, const void *bytes, size_t length);
    int passes_descriptors;
};

static const struct battery *tested;
static struct xport *ends[2];

static void open_pair(void)
{
    OK(tested->pair(ends) == 0, "two connected ends");
}

static void close_pair(void)
{
    for (int i = 0; i < 2; i++)
        if (ends[i])
            ends[i]->ops->close(ends[i]);
    ends[0] = ends[1] = NULL;
}

/* A frame of |length| bytes as one piece of memory; the caller frees it. Bytes follow from
 * |seed|. */
static uint8_t *frame_bytes(uint32_t seed, size_t length)
{
    uint8_t *bytes = malloc(FRAME_HEADER_BYTES + length);
    const struct frame frame = {.kind = FRAME_DATA,
                                .flags = FRAME_FIRST,
                                .source = seed,
                                .destination = 7,
                                .sequence = seed,
                                .body = {.length = length}};
    frame_header_encode(&frame, bytes);
    for (size_t i = 0; i < length; i++)
        bytes[FRAME_HEADER_BYTES + i] = (uint8_t)(seed * 31 + i);
    return bytes;
}

static int frame_is(const struct frame *frame, uint32_t seed, size_t length)
{
    if (frame->source != seed || frame->sequence != seed || frame->body.length != length ||
        frame->kind != FRAME_DATA || frame->flags != FRAME_FIRST || frame->destination != 7)
        return 0;
    for (size_t i = 0; i < length; i++)
        if (frame->body.data[i] != (uint8_t)(seed * 31 + i))
            return 0;
    return 1;
}

static int wait_for(struct xport *end, short events)
{
    struct pollfd poller = {.fd = end->ops->descriptor(end), .events = events};
    return poll(&poller, 1, 10000) == 1;
}

/* Sends |length| bytes from end 0 while end 1 counts right frames of |frame_length|, from |seed|
 * on. */
static int pump(const uint8_t *bytes, size_t length, size_t step, uint32_t *seed,
                size_t frame_length)
{
    int wrong = 0;
    size_t done = 0;
    for (int idle = 0; done < length && idle < 1000;) {
        const struct client_piece pieces[2] = {{bytes + done, MIN_OF(step, length - done)},
                                               {NULL, 0}};
        size_t sent = 0;
        const enum xport_result result = ends[0]->ops->send(ends[0], pieces, 1, &sent);
        done += sent;
        wrong += result != XPORT_OK && result != XPORT_AGAIN;
        struct frame frame;
        int got = 0;
        while (ends[1]->ops->receive(ends[1], &frame) == XPORT_OK) {
            wrong += !frame_is(&frame, (*seed)++, frame_length) || frame.raw.buf;
            frame_drop(&frame);
            got++;
        }
        idle = sent || got ? 0 : idle + 1;
        if (!sent && !got)
            wait_for(ends[1], POLLIN);
    }
    return wrong + (done < length);
}

static int drain(uint32_t *seed, uint32_t until, size_t frame_length)
{
    int wrong = 0;
    struct frame frame;
    while (*seed < until && !wrong) {
        const enum xport_result result = ends[1]->ops->receive(ends[1], &frame);
        if (result == XPORT_OK) {
            wrong += !frame_is(&frame, (*seed)++, frame_length);
            frame_drop(&frame);
        } else if (result != XPORT_AGAIN || !wait_for(ends[1], POLLIN)) {
            wrong++;
        }
    }
    return wrong;
}

/* |count| frames of |length| bytes, written |step| bytes at a time. */
static void stream(uint32_t count, size_t length, size_t step, const char *what)
{
    open_pair();
    const size_t size = FRAME_HEADER_BYTES + length;
    uint8_t *bytes = malloc(size * count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *one = frame_bytes(i + 1, length);
        memcpy(bytes + i * size, one, size);
        free(one);
    }
    uint32_t seed = 1;
    int wrong = pump(bytes, size * count, step, &seed, length);
    wrong += drain(&seed, count + 1, length);
    EQUAL(wrong, 0, what);
    struct frame frame;
    EQUAL(ends[1]->ops->receive(ends[1], &frame), XPORT_AGAIN, "and nothing after it");
    free(bytes);
    close_pair();
}

static void streams(void)
{
    stream(1, 0, 1, "one empty frame, a byte at a time");
    stream(3, 5, 7, "small frames in odd pieces");
    stream(5000, 40, 100000, "many small frames at once");
    stream(40, FRAME_BODY_BYTES_MAX, 1000000, "full frames");
    stream(20, FRAME_BODY_BYTES_MAX, 3001, "full frames in pieces");
    stream(30, 9000, 50000, "middling frames");
    stream(300, 8169, 65536, "frames about as long as what is read ahead");
}

/* Messages that are kept while more come: the transport must not write over what it gave away. */
static void kept_frames(void)
{
    open_pair();
    enum { KEPT = 50 };
    struct frame kept[KEPT];
    int wrong = 0;
    for (uint32_t i = 0; i < KEPT; i++) {
        const size_t length = (i * 1777) % 20000;
        uint8_t *bytes = frame_bytes(i, length);
        const struct client_piece piece = {bytes, FRAME_HEADER_BYTES + length};
        size_t sent = 0;
        wrong += ends[0]->ops->send(ends[0], &piece, 1, &sent) != XPORT_OK || sent != piece.length;
        while (ends[1]->ops->receive(ends[1], &kept[i]) != XPORT_OK)
            wrong += !wait_for(ends[1], POLLIN);
        free(bytes);
    }
    for (uint32_t i = 0; i < KEPT; i++) {
        wrong += !frame_is(&kept[i], i, (i * 1777) % 20000);
        frame_drop(&kept[i]);
    }
    EQUAL(wrong, 0, "frames that are kept stay as they were");
    close_pair();
}

/* Nobody reads: sending ends with AGAIN, and goes on in the middle of a frame. */
static void full(void)
{
    open_pair();
    enum { FRAMES = 200 };
    uint8_t *bytes = frame_bytes(1, 50000);
    size_t total = 0, size = FRAME_HEADER_BYTES + 50000;
    enum xport_result result = XPORT_OK;
    int wrong = 0;
    for (int i = 0; i < 10000 && result == XPORT_OK; i++) {
        size_t sent;
        const struct client_piece piece = {bytes + total % size, size - total % size};
        result = ends[0]->ops->send(ends[0], &piece, 1, &sent);
        total += sent;
    }
    EQUAL(result, XPORT_AGAIN, "a peer that does not read stops the sender");
    uint32_t got = 0;
    while (total < FRAMES * size || got * size < total) {
        struct frame frame;
        size_t sent = 0;
        if (total < FRAMES * size) {
            const struct client_piece piece = {bytes + total % size, size - total % size};
            ends[0]->ops->send(ends[0], &piece, 1, &sent);
            total += sent;
        }
        const enum xport_result received = ends[1]->ops->receive(ends[1], &frame);
        if (received == XPORT_OK) {
            wrong += !frame_is(&frame, 1, 50000);
            got++;
            frame_drop(&frame);
        } else if (!sent && !wait_for(ends[1], POLLIN)) {
            wrong++;
            break;
        }
    }
    OK(wrong == 0 && got >= FRAMES, "and lets it go on where it was");
    free(bytes);
    close_pair();
}

static void both_ways(void)
{
    open_pair();
    int wrong = 0;
    for (uint32_t i = 1; i <= 100; i++) {
        const int from = (int)(i % 2);
        uint8_t *bytes = frame_bytes(i, i * 10);
        const struct client_piece pieces[] = {{bytes, 10},
                                              {bytes + 10, FRAME_HEADER_BYTES + i * 10 - 10}};
        size_t sent;
        wrong += ends[from]->ops->send(ends[from], pieces, 2, &sent) != XPORT_OK;
        struct frame frame;
        while (ends[!from]->ops->receive(ends[!from], &frame) != XPORT_OK)
            wrong += !wait_for(ends[!from], POLLIN);
        wrong += !frame_is(&frame, i, i * 10);
        frame_drop(&frame);
        free(bytes);
    }
    EQUAL(wrong, 0, "both ways, in pieces");
    close_pair();
}

static void loss(void)
{
    struct frame frame;
    open_pair();
    uint8_t *bytes = frame_bytes(3, 100);
    size_t sent;
    const struct client_piece whole = {bytes, FRAME_HEADER_BYTES + 100}, part = {bytes, 60};
    ends[0]->ops->send(ends[0], &whole, 1, &sent);
    ends[0]->ops->send(ends[0], &part, 1, &sent);
    ends[0]->ops->close(ends[0]);
    ends[0] = NULL;
    enum xport_result result = XPORT_OK;
    for (int i = 0; i < 1000 && result == XPORT_OK; i++)
        result = ends[1]->ops->send(ends[1], &whole, 1, &sent);
    EQUAL(result, XPORT_LOST, "sending to nobody is a loss, and no signal");
    EQUAL(ends[1]->ops->receive(ends[1], &frame), XPORT_OK, "what came before the loss can be had");
    OK(frame_is(&frame, 3, 100), "whole");
    frame_drop(&frame);
    while ((result = ends[1]->ops->receive(ends[1], &frame)) == XPORT_AGAIN)
        if (!wait_for(ends[1], POLLIN))
            break;
    EQUAL(result, XPORT_LOST, "the torn frame cannot");
    EQUAL(ends[1]->ops->receive(ends[1], &frame), XPORT_LOST, "lost stays lost");
    free(bytes);
    close_pair();
}

static void nonsense(void)
{
    static const struct {
        const char *what;
        uint8_t header[FRAME_HEADER_BYTES];
    } rows[] = {
        {"an unknown kind", {0, 0, 0, 0, 99}},
        {"unknown flags", {0, 0, 0, 0, FRAME_DATA, 0x80}},
        {"a body too long", {0x7f, 0, 0, 0, FRAME_DATA}},
        {"a control message too long", {0x7f, 0, 0, 0, FRAME_CONTROL}},
        {"a notice in parts", {0, 0, 0, 0, FRAME_NOTICE, FRAME_FIRST}},
        {"no zero where one belongs", {0, 0, 0, 0, FRAME_DATA, 0, 1}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct frame frame;
        open_pair();
        tested->inject(ends[0], rows[i].header, FRAME_HEADER_BYTES);
        enum xport_result result;
        while ((result = ends[1]->ops->receive(ends[1], &frame)) == XPORT_AGAIN)
            if (!wait_for(ends[1], POLLIN))
                break;
        EQUAL(result, XPORT_BAD, rows[i].what);
        EQUAL(ends[1]->ops->receive(ends[1], &frame), XPORT_BAD, "stays so");
        close_pair();
    }
}

/* Every allocation fails once: nothing is lost. */
static void no_memory(void)
{
    open_pair();
    int wrong = 0, failures = 0;
    for (uint32_t i = 1; i <= 30; i++) {
        const size_t length = i % 3 ? 30000 : 100;
        uint8_t *bytes = frame_bytes(i, length);
        size_t done = 0;
        struct frame frame;
        enum xport_result result = XPORT_AGAIN;
        while (result != XPORT_OK && wrong == 0) {
            size_t sent = 0;
            const struct client_piece piece = {bytes + done, FRAME_HEADER_BYTES + length - done};
            if (piece.length)
                wrong += ends[0]->ops->send(ends[0], &piece, 1, &sent) == XPORT_LOST;
            done += sent;
            mem_fail_at(1, 0);
            result = ends[1]->ops->receive(ends[1], &frame);
            mem_fail_at(0, 0);
            failures += result == XPORT_NO_MEMORY;
            if (result == XPORT_NO_MEMORY)
                result = ends[1]->ops->receive(ends[1], &frame);
        }
        wrong += !frame_is(&frame, i, length);
        frame_drop(&frame);
        free(bytes);
    }
    OK(wrong == 0 && failures > 0, "without memory a receive is only put off");
    close_pair();
}

/* ---- descriptors, where the transport passes them ---- */

/* Sends |count| frames in one go, from end 0; the |fd_count| descriptors go with the first. */
static int send_frames(uint32_t seed, uint32_t count, const int *fds, size_t fd_count)
{
    int wrong = 0;
    if (fd_count)
        ends[0]->ops->give(ends[0], fds, fd_count);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *bytes = frame_bytes(seed + i, 30);
        size_t sent;
        const struct client_piece piece = {bytes, FRAME_HEADER_BYTES + 30};
        wrong += ends[0]->ops->send(ends[0], &piece, 1, &sent) != XPORT_OK || sent != piece.length;
        free(bytes);
    }
    return wrong;
}

static int receive_frame(uint32_t seed)
{
    struct frame frame;
    enum xport_result result;
    while ((result = ends[1]->ops->receive(ends[1], &frame)) == XPORT_AGAIN)
        if (!wait_for(ends[1], POLLIN))
            break;
    if (result != XPORT_OK)
        return 0;
    const int is_right = frame_is(&frame, seed, 30);
    frame_drop(&frame);
    return is_right;
}

/* Descriptors that are open in this process. */
static int fds_open(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* The pipe whose read end came has |letter| in it, and is closed on exec. */
static int fd_reads(int fd, char letter)
{
    char got = 0;
    return read(fd, &got, 1) == 1 && got == letter && (fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void descriptors(void)
{
    int pipes[3][2], fds[3] = {-1, -1, -1}, right = 1;
    open_pair();
    for (int i = 0; i < 3; i++)
        if (pipe(pipes[i]) < 0 || write(pipes[i][1], &"abc"[i], 1) != 1)
            abort();
    const int given[3] = {pipes[0][0], pipes[1][0], pipes[2][0]};
    const int before = fds_open();
    EQUAL(send_frames(1, 2, NULL, 0) + send_frames(3, 2, given, 3) + send_frames(5, 2, NULL, 0), 0,
          "frames, two of them after descriptors");
    OK(receive_frame(1) && receive_frame(2), "those before");
    OK(receive_frame(3), "the one with descriptors");
    OK(ends[1]->ops->take(ends[1], fds, 3) == 0, "which are there");
    for (int i = 0; i < 3; i++)
        right &= fd_reads(fds[i], "abc"[i]);
    OK(right, "in their order");
    OK(ends[1]->ops->take(ends[1], fds, 1) < 0, "once");
    OK(receive_frame(4) && receive_frame(5) && receive_frame(6), "the frames after");
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    EQUAL(send_frames(7, 1, given, 1) + send_frames(8, 1, given + 1, 2) +
              send_frames(9, 1, NULL, 0), 0, "descriptors nobody asks for");
    OK(receive_frame(7) && receive_frame(8) && receive_frame(9), "frames as ever");
    EQUAL(fds_open(), before, "are closed");
    for (uint32_t i = 0; i < 20; i++)
        right &= send_frames(10 + i, 1, given, 3) == 0;
    for (uint32_t i = 0; i < 20; i++)
        right &= receive_frame(10 + i);
    OK(right, "more than are kept");
    send_frames(40, 1, given, 3);
    receive_frame(40);
    close_pair();
    EQUAL(fds_open(), before - 2, "closing closes what was not taken");
    for (int i = 0; i < 3; i++) {
        close(pipes[i][0]);
        close(pipes[i][1]);
    }
}

/* Runs everything; results by tap.h. */
static void battery_run(const struct battery *battery)
{
    tested = battery;
    printf("# transport %s\n", battery->name);
    TEST(streams);
    TEST(kept_frames);
    TEST(full);
    TEST(both_ways);
    TEST(loss);
    TEST(nonsense);
    TEST(no_memory);
    if (battery->passes_descriptors)
        TEST(descriptors);
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

#endif
