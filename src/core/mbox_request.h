/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mailboxes as the rest of a daemon sees them: requests of its tasks become commands of the log
 * (core/command.h), applying them changes core/mbox.h on all hosts alike and answers the tasks of
 * this one.
 */
#ifndef CORE_MBOX_REQUEST_H
#define CORE_MBOX_REQUEST_H

#include "core/command.h"
#include "core/state.h"

/* |origin| was applied in a snapshot that took the place of the state: true when mailboxes know it,
 * then it was answered or waits. */
bool mbox_restored(struct node *node, struct command_origin *origin);

#endif
