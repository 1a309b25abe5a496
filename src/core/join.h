/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a new daemon becomes a host: it waits for its master, is welcomed, gets the table, says that
 * it is ready, and is one when the log says so. The master's side: core/add.h.
 */
#ifndef CORE_JOIN_H
#define CORE_JOIN_H

#include "core/state.h"

/* EVENT_START of a new host, of a master. */
void join_begin(struct node *node);
void join_begin_master(struct node *node);
/* DM_WELCOME. */
void join_welcome(struct node *node, uint64_t peer, const struct message *message);
/* The snapshot was applied. */
void join_has_table(struct node *node);
/* A command of the log made us a host. */
void join_done(struct node *node, const struct wire_host *info);
/* The master did not call. */
void join_timer(struct node *node);

#endif
