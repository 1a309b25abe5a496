/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tasks a daemon starts: their start, their output, their end (items API-30, API-31, DMN-22).
 *
 * Standard output and error of a child are one pipe. The end of a child is reported after the last
 * of its output; what its own background children might still print afterwards is not read.
 */
#ifndef OS_CHILD_H
#define OS_CHILD_H

#include "base/buf.h"
#include "os/loop.h"
#include "os/watchpid.h"

#include <stdbool.h>
#include <stdint.h>

enum { CHILD_ERROR_BYTES = 512 };

struct child_handler {
    void *context;
    /* Length 0 = end of file. The slice is borrowed. Never from inside child_start(). */
    void (*output)(void *context, uint64_t ticket, struct slice bytes);
    /* Once, last. */
    void (*exited)(void *context, uint64_t ticket, uint32_t pid, int wait_status);
};

struct child_request {
    const char *file; /* with a '/' as it stands, else searched along |search| */
    const char *search;
    const char *directory;          /* NULL or "" = ours */
    const char *debugger;           /* not NULL: run this with the path found and the arguments */
    const char *const *argv;        /* without the program's name; NULL-terminated */
    const char *const *environment; /* added to ours */
};

enum child_result { CHILD_STARTED, CHILD_NO_FILE, CHILD_NO_RESOURCES };

struct children;

struct children *children_create(struct loop *loop, struct pid_watcher *watcher,
                                 const struct child_handler *handler);
/* Forgets all; those that still run go on. */
void children_destroy(struct children *children);
/* CHILD_STARTED and *pid, or words at |error|. A file that is found and cannot be executed starts,
 * says so in its output and ends with 127: the answer to a spawn does not wait for exec (API-26).
 * |ticket| is the caller's name for it, not in use. */
enum child_result child_start(struct children *children, uint64_t ticket,
                              const struct child_request *request, uint32_t *pid,
                              char error[CHILD_ERROR_BYTES]);
/* Stops and resumes reading its output. */
void child_pause(struct children *children, uint64_t ticket, bool paused);
/* Sends |number| if |pid| is a child that was not reaped yet; false when it is none of ours. */
bool child_signal(struct children *children, uint32_t pid, int number);
/* Sends |number| to all that run; returns how many. */
size_t children_signal_all(struct children *children, int number);

#endif
