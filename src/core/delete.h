/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deleting hosts (API-11): the master decides name by name, and lets those go who may
 * (core/leave.h). The way of the request: core/command.h.
 */
#ifndef CORE_DELETE_H
#define CORE_DELETE_H

#include "core/state.h"

/* TM_DELHOSTS. */
void delhosts_request(struct node *node, struct conn *conn, const struct message *message);
/* DM_DELHOSTS, at the master. */
void delhosts_work(struct node *node, const struct command_id *id, const struct message *request);

#endif
