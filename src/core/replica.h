/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All that the commands of the log made, as one state: what a snapshot holds (CMD_STATE), put
 * together from the parts that the modules keep, taken apart into them again, and hashed. The same
 * commands in the same order make the same on all hosts, and nothing else may change it. Who adds
 * something that all hosts must agree on adds a row to the table in replica.c. What a change means
 * to this daemon alone is core/member.c's.
 */
#ifndef CORE_REPLICA_H
#define CORE_REPLICA_H

#include "core/state.h"

struct replica_part {
    const char *name;
    /* Writes into |state|, pointing to what is kept or into |arena|. 0, -1 without memory. */
    int (*save)(const struct node *node, struct arena *arena, struct wire_cmd_state *state);
    /* Puts |state| in the place of what is kept. 0; -1 no memory, or what cannot be. */
    int (*restore)(struct node *node, const struct wire_cmd_state *state);
    uint64_t (*hash)(const struct node *node);
};

/* Applies one command of the log and gives the answers that are due here. *|change| says what
 * became of the hosts; those who are removed are gone from everything. 0, -1 without memory: the
 * node can do nothing more. */
int replica_apply(struct node *node, const struct message *command, struct hosts_change *change);
/* Appends a CMD_STATE; a bad writer without memory. */
void replica_encode(const struct node *node, struct wr *wr);
/* Puts a state in the place of all parts; |change| says the difference of the host table. 0; -1: no
 * memory, or what cannot be. Afterwards, when |change| was dealt with: commands_restored(). */
int replica_restore(struct node *node, const struct wire_cmd_state *state,
                    struct hosts_change *change);
uint64_t replica_hash(const struct node *node);

#endif
