/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hosts that go in order, because they were deleted (API-11) or say goodbye: the master takes their
 * vote first, so that those who stay can decide without them, then removes them by one command. The
 * master itself gives its place away before: to somebody who stays, and the next master, asked
 * again, removes it.
 */
#ifndef CORE_LEAVE_H
#define CORE_LEAVE_H

#include "core/command.h"

struct message;

/* A part of what the master has under way. */
struct leave {
    struct list link;       /* in node->lead.leaving */
    struct command_id id;   /* who asked; .asker 0 = they say so themselves */
    int32_t reason;
    uint64_t *epochs;
    size_t count;
    int32_t *results;       /* one for each name of the request */
    size_t result_count;
    uint64_t index;         /* of the command, 0 = not yet */
};

/* These hosts are to go; |results| is the answer when |id| has an asker. 0, -1 without memory. */
int leave_begin(struct node *node, const struct command_id *id, int32_t reason,
                const uint64_t *epochs, size_t count, const int32_t *results, size_t result_count);
/* |epoch| is among those who go. */
bool leave_wants(const struct node *node, uint64_t epoch);
/* One step further with all of them. */
void leave_run(struct node *node);
void leave_master_ended(struct node *node);
void leave_fini(struct node *node);

/* ---- at the one who goes by itself (core/halt.c) ---- */

/* Says goodbye to the master, gives the place away when it is one itself; true = nobody is left
 * to whom this host would have to say it, or it was let go. */
bool leave_is_done(struct node *node);
/* There is another master: it is told again. */
void leave_master_changed(struct node *node);

#endif
