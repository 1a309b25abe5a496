/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One command run beside the daemon, such as ssh: its lines of output and error, its end, its time
 * limit.
 */
#ifndef OS_COMMAND_H
#define OS_COMMAND_H

#include "os/loop.h"
#include "os/watchpid.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { COMMAND_LINE_BYTES_MAX = 4096 };

enum command_stream { COMMAND_OUTPUT, COMMAND_ERRORS };

struct command_handler {
    void *context;
    /* One line without its newline; over-long ones are cut. */
    void (*line)(void *context, enum command_stream stream, const char *line);
    /* Once, last: reaped, and what it printed was reported. |timed_out|: it was killed for that.
     * The command is freed after this returns. */
    void (*ended)(void *context, int wait_status, bool timed_out);
};

struct command;

/* Runs argv[0] (a path, or a name searched along PATH) with stdin from /dev/null, in a session of
 * its own, so that it cannot ask for passwords on the daemon's terminal. NULL with an errno value
 * at *failure. */
struct command *command_start(struct loop *loop, struct pid_watcher *watcher, char *const *argv,
                              char *const *environment, uint64_t limit_ns,
                              const struct command_handler *handler, int *failure);
pid_t command_pid(const struct command *command);
/* From now on it may take as long as it pleases. */
void command_no_limit(struct command *command);
/* Kills it; |ended| will come. */
void command_kill(struct command *command);
/* Kills and frees at once, without a word; the process is left to be reaped by the system. */
void command_destroy(struct command *command);

/* "exited with 255", "was ended by signal 9": for messages. */
void command_status_text(int wait_status, char *text, size_t size_bytes);

#endif
