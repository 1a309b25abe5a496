/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Message handlers of the program (API-57, API-58): what is between delivery and the queue.
 *
 * A handler may call anything, so none runs while a message is being delivered. Instead delivered
 * messages are staged, in order, from the first one that a handler wants until the shell comes to a
 * safe point and calls client_run_handlers(). That deals with them one by one: to whom a message
 * goes is decided when its turn comes, by the handlers that there are then. So what a handler adds
 * and deletes counts from the next message on, and order is kept.
 *
 * While a handler runs, calls from inside it (and other threads) come to safe points too. There
 * what no handler wants goes into the queue, and the rest waits: handlers never run inside one
 * another, nor at the same time.
 *
 * The public part is in client/client.h. Without handlers all this costs handlers_are_idle().
 */
#ifndef CLIENT_HANDLERS_H
#define CLIENT_HANDLERS_H

#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>

struct client;
struct handler;
struct msg;

struct handlers {
    struct handler *rows; /* by number; NULL until first asked for */
    size_t count;
    size_t capacity;
    int free_row; /* last deleted first; -1 = none */
    size_t live;  /* rows of the program */
    struct list staged;
    bool is_running;
    bool is_overtaken; /* by messages that came after one that is staged */
};

void handlers_init(struct handlers *handlers);
/* Frees what is staged: the connection is gone. */
void handlers_drop_staged(struct handlers *handlers);

static inline bool handlers_are_idle(const struct handlers *handlers)
{
    return handlers->live == 0 && list_is_empty(&handlers->staged);
}

/* |msg| is delivered: to the queue, or staged. Takes it over. */
void handlers_deliver(struct client *client, struct msg *msg);

#endif
