/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pvm_tickle(): a door for people who debug the daemon (CON-30): tables to the log, a debug mask,
 * counts.
 */
#ifndef CORE_TICKLE_H
#define CORE_TICKLE_H

#include "core/state.h"

void tickle_request(struct node *node, struct conn *conn, const struct message *message);

#endif
