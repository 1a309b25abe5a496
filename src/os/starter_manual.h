/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * `so=ms`: a person starts the daemon and types what it answered (item DMN-7). One at a time.
 */
#ifndef OS_STARTER_MANUAL_H
#define OS_STARTER_MANUAL_H

#include "os/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct manual_handler {
    void *context;
    void (*line)(void *context, uint64_t ticket, const char *line);
    void (*failed)(void *context, uint64_t ticket, const char *words);
};

struct manual;

struct manual *manual_create(struct loop *loop, const struct manual_handler *handler);
void manual_destroy(struct manual *manual);
/* Asks on stderr, then reads a line from stdin; others wait for their turn. 0 or -1 without memory.
 */
int manual_add(struct manual *manual, uint64_t ticket, const char *host, const char *command);
void manual_cancel(struct manual *manual, uint64_t ticket);

#endif
