/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a daemon becomes a host. A new one waits for the host that had it started, is welcomed, gets
 * the table, says that it is ready, and is a host when the log says so: then it learns its number.
 * It does not wait for ever: not for a welcome, and not long when the welcomer goes before the log
 * spoke (another master may have finished the adding; if not, it starts another daemon). The
 * founder begins a log of its own. The master's side: core/add.h; who comes back: core/rejoin.h.
 */
#ifndef CORE_JOIN_H
#define CORE_JOIN_H

#include "wire/msgs.h"

#include <stdbool.h>
#include <stdint.h>

struct node;
struct message;

/* A part of struct node. */
struct joining {
    uint64_t welcomer;   /* epoch of who sent DM_WELCOME; 0 = nobody yet */
    bool has_table;
    uint64_t until_ns;   /* give up then */
};

/* EVENT_START of a new host, of a founder. */
void join_begin(struct node *node);
void join_begin_founder(struct node *node);
/* DM_WELCOME. */
void join_welcome(struct node *node, uint64_t peer, const struct message *message);
/* The snapshot was applied. */
void join_has_table(struct node *node);
/* A command of the log made us a host. */
void join_done(struct node *node, const struct wire_host *info);
/* A link that is needed for joining is dead. */
void join_peer_down(struct node *node, uint64_t peer);
/* Something is late. */
void join_timer(struct node *node);

#endif
