/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mailboxes as the rest of a daemon sees them: requests of its tasks become commands of the log
 * (core/command.h), reads too; applying them changes core/mbox.h on all hosts alike and answers the
 * tasks of this one.
 *
 * What a task got by taking it, or after waiting, is kept on all hosts until its daemon confirms
 * (CMD_MBOX_CONFIRM); a plain read is simply asked again where a snapshot swallowed it.
 */
#ifndef CORE_MBOX_REQUEST_H
#define CORE_MBOX_REQUEST_H

#include "core/mbox.h"
#include "core/state.h"

/* TM_PUTINFO, TM_RECVINFO, TM_DELINFO, TM_LISTINFO, TM_RESETINFO. */
void putinfo_request(struct node *node, struct conn *conn, const struct message *message);
void recvinfo_request(struct node *node, struct conn *conn, const struct message *message);
void delinfo_request(struct node *node, struct conn *conn, const struct message *message);
void listinfo_request(struct node *node, struct conn *conn, const struct message *message);
void resetinfo_request(struct node *node, struct conn *conn, const struct message *message);

/* Applies |command| when it is one of mailboxes. 0, -1 without memory. */
int mbox_apply(struct node *node, struct command_origin *origin, const struct message *command);
/* |task| is ending: what it has in mailboxes goes, by a command. */
void mbox_task_ended(struct node *node, const struct task *task);

/* Of core/command.c: |origin| was applied in a snapshot that took the place of the state. True when
 * mailboxes know it: then it was answered, or waits. */
bool mbox_restored(struct node *node, struct command_origin *origin);
/* After that: confirms what this daemon has got. */
void mbox_confirm_own(struct node *node);

#endif
