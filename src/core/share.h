/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who shares memory with whom on this host: indexes, the passing on of offers and descriptors, and
 * the word that one is gone. What is in the memory this layer never sees (shm/pair.h).
 *
 * A connection whose task has our data signature gets an index at enrolment: its place in the
 * inboxes of the others. Two connections share from the first TM_ATTACH of one of them on; each
 * passes its own side once. When one of them leaves or ends, the other is told (TM_GONE), after
 * all that came from it was taken in (the shell sees to that) and before anything is said about
 * its end; then the index is free. A request for a task that has not enrolled yet waits for it.
 */
#ifndef CORE_SHARE_H
#define CORE_SHARE_H

#include "core/state.h"

enum share_side {
    SHARE_ASKED_BY_OTHER = 1, /* it got the other's side and has not passed its own */
    SHARE_ASKED = 2           /* its own side was passed to the other */
};

/* |conn| enrolled with data signature |signature|: gives it an index if it may share. */
void share_begin(struct node *node, struct conn *conn, uint32_t signature);
/* |task| is connected: those who asked for it before are passed on. */
void share_task_enrolled(struct node *node, struct task *task);
/* |task| will never enrol, or ends: those who still wait for it are refused. */
void share_task_ended(struct node *node, struct task *task);
/* |conn| leaves: everybody who shares with it is told. Harmless when it shares with nobody. */
void share_end(struct node *node, struct conn *conn);
/* Frees what node_destroy() finds: nothing is said. */
void share_forget(struct node *node, struct conn *conn);
void share_drop_waiting(struct task *task);

/* TM_ATTACH, TM_WAKE. */
void attach_request(struct node *node, struct conn *conn, const struct message *message);
void wake_request(struct node *node, struct conn *conn, const struct message *message);
/* EVENT_SHARE_ATTACHED. */
void share_attached(struct node *node, const struct event *event);

#endif
