/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the log makes, as a whole: the host table, which requests were applied, the mailboxes. The
 * same commands in the same order give the same on all hosts; nothing else may change it. What a
 * change means to this daemon alone is core/member.c's.
 */
#ifndef CORE_REPLICA_H
#define CORE_REPLICA_H

#include "core/state.h"

/* Applies one command of the log and gives the answers that are due here. *|change| says what became
 * of the hosts; those who are removed are gone from everything. 0, -1 without memory: the node can
 * do nothing more. */
int replica_apply(struct node *node, const struct message *command, struct hosts_change *change);
/* Puts a CMD_STATE in the place of everything. */
int replica_restore(struct node *node, const struct wire_cmd_state *state,
                    struct hosts_change *change);
/* Answers what was asked here and applied in the snapshot that was restored last: to be called when
 * |change| was dealt with. */
void replica_restored(struct node *node);
/* Appends a CMD_STATE; a bad writer without memory. */
void replica_encode(const struct node *node, struct wr *wr);

#endif
