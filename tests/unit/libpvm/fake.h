/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A daemon for tests of the library, in a child process: one task at a time, and one thing it does
 * wrong or answers. It knows the frames and messages of src/wire and nothing of the core.
 */
#ifndef TESTS_LIBPVM_FAKE_H
#define TESTS_LIBPVM_FAKE_H

#include "libpvm/xport.h"
#include "tap.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAKE_TID = 0x40011 };

struct fake {
    char directory[64];
    char path[80];
    pid_t pid;
};

/* What the daemon has of its one task. */
struct fake_link {
    struct xport *xport;
    struct arena arena;
    int tid;
};

static inline void fake_write(struct fake_link *link, const struct frame *frame)
{
    uint8_t header[FRAME_HEADER_BYTES];
    frame_header_encode(frame, header);
    size_t done = 0, total = sizeof(header) + frame->body.length;
    while (done < total) {
        const struct client_piece rest =
            done < sizeof(header)
                ? (struct client_piece){header + done, sizeof(header) - done}
                : (struct client_piece){frame->body.data + (done - sizeof(header)), total - done};
        size_t sent;
        const enum xport_result result = link->xport->ops->send(link->xport, &rest, 1, &sent);
        if (result == XPORT_LOST)
            return;
        done += sent;
        struct pollfd poller = {.fd = link->xport->ops->descriptor(link->xport), .events = POLLOUT};
        if (!sent)
            poll(&poller, 1, 10000);
    }
}

static inline void fake_say(struct fake_link *link, const struct message *message)
{
    struct wr wr;
    wr_init(&wr);
    message_encode(&wr, message);
    struct frame frame = {
        .kind = FRAME_CONTROL, .source = TID_DAEMON, .body = slice_copy(wr.bytes, wr.length)};
    wr_fini(&wr);
    fake_write(link, &frame);
    frame_drop(&frame);
}

static inline void fake_done(struct fake_link *link, uint32_t wait, int status)
{
    const struct message message = {.type = TM_DONE, .tm_done = {.wait = wait, .status = status}};
    fake_say(link, &message);
}

/* The next frame; 0 when the task is gone, or silent for 20 s. */
static inline int fake_read(struct fake_link *link, struct frame *frame)
{
    for (;;) {
        const enum xport_result result = link->xport->ops->receive(link->xport, frame);
        if (result == XPORT_OK)
            return 1;
        struct pollfd poller = {.fd = link->xport->ops->descriptor(link->xport), .events = POLLIN};
        if (result != XPORT_AGAIN || poll(&poller, 1, 20000) <= 0)
            return 0;
    }
}

/* The next control message; MESSAGE_NONE as above. Other frames go back to where they came from. */
static inline struct message fake_hear(struct fake_link *link)
{
    struct message message = {.type = MESSAGE_NONE};
    struct frame frame;
    while (fake_read(link, &frame)) {
        const int is_control = frame.kind == FRAME_CONTROL;
        if (is_control)
            message_decode(frame.body.data, frame.body.length, &link->arena, &message);
        else
            fake_write(link, &frame);
        frame_drop(&frame);
        if (is_control)
            return message;
    }
    return message;
}

static inline void fake_enrolled(struct fake_link *link, uint32_t version, int status)
{
    static const struct wire_sink sinks[2];
    const struct message answer = {.type = TM_ENROLLED,
                                   .tm_enrolled = {.status = status,
                                                   .error = "no room",
                                                   .version = version,
                                                   .tid = (uint32_t)link->tid,
                                                   .host_name = "fake",
                                                   .sinks = {2, sinks},
                                                   .daemon_tid = TID_DAEMON | 0x40000}};
    fake_say(link, &answer);
}

/* Runs |serve| for each task that connects, until it is stopped. PVMSOCK names it. */
static inline void fake_start(struct fake *fake, void (*serve)(struct fake_link *link))
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(fake->directory, sizeof(fake->directory), "/tmp/pvm-fake-XXXXXX");
    if (!mkdtemp(fake->directory))
        abort();
    snprintf(fake->path, sizeof(fake->path), "%s/sock", fake->directory);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", fake->path);
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(listener, 5) < 0)
        abort();
    setenv("PVMSOCK", fake->path, 1);
    fflush(stdout);
    fake->pid = fork();
    if (fake->pid == 0) {
        struct fake_link link = {.tid = FAKE_TID - 1};
        arena_init(&link.arena);
        alarm(120);
        for (;;) {
            const int fd = accept(listener, NULL, NULL);
            link.xport = fd < 0 ? NULL : xport_unix_create(fd);
            link.tid++;
            if (link.xport) {
                serve(&link);
                link.xport->ops->close(link.xport);
            }
        }
    }
    close(listener);
}

static inline void fake_stop(struct fake *fake)
{
    kill(fake->pid, SIGKILL);
    waitpid(fake->pid, NULL, 0);
    unlink(fake->path);
    rmdir(fake->directory);
    unsetenv("PVMSOCK");
}

/* What is written to stderr meanwhile goes to |text|. */
struct capture {
    int saved;
    FILE *file;
};

static inline void capture_begin(struct capture *capture)
{
    fflush(stderr);
    capture->saved = dup(STDERR_FILENO);
    capture->file = tmpfile();
    dup2(fileno(capture->file), STDERR_FILENO);
}

static inline const char *capture_end(struct capture *capture)
{
    static char text[4096];
    fflush(stderr);
    dup2(capture->saved, STDERR_FILENO);
    close(capture->saved);
    rewind(capture->file);
    const size_t length = fread(text, 1, sizeof(text) - 1, capture->file);
    text[length] = '\0';
    fclose(capture->file);
    return text;
}

#endif
