/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Spawning, in two halves. spawn.c is the spawner's: places the tasks, sends each host its share,
 * deals a lost share again, answers when all is known. start.c is the other: numbers the tasks of a
 * share, has their processes started, says what became of each. A share for this host takes the
 * same way without the message.
 */
#ifndef CORE_SPAWN_H
#define CORE_SPAWN_H

#include "core/wait.h"

enum { SPAWN_COUNT_MAX = 262143 };

/* TM_SPAWN, DM_SPAWN, DM_SPAWNED. */
void spawn_request(struct node *node, struct conn *conn, const struct message *message);
void start_request(struct node *node, uint64_t peer, const struct message *message);
void spawn_answer(struct node *node, uint64_t peer, const struct message *message);

/* Starts a share; its result goes to |asker|: a peer, or, with our own epoch, the wait of that
 * number. */
void start_share(struct node *node, struct asker asker, const struct wire_dm_spawn *spawn);
/* The task of |part| of the share |wait| got |result|: its tid or an error. */
void start_resolved(struct node *node, uint32_t wait, uint32_t part, int32_t result);
/* The share that begins with |first| has its results. */
void spawn_share_done(struct node *node, uint32_t wait, uint64_t host, uint32_t first,
                      const struct wire_i32s *tids);

#endif
