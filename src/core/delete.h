/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deleting hosts (API-11): the master decides name by name, proposes one command for all, answers.
 */
#ifndef CORE_DELETE_H
#define CORE_DELETE_H

#include "core/wait.h"

/* TM_DELHOSTS here, DM_DELHOSTS at the master, DM_DELETED at the daemon of who asked. */
void delhosts_request(struct node *node, struct conn *conn, const struct message *message);
void delhosts_message(struct node *node, uint64_t peer, const struct message *message);
void deleted_message(struct node *node, uint64_t peer, const struct message *message);

#endif
