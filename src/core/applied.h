/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which requests were applied: part of the state that the log makes, equal on all hosts. It is what
 * makes a request that was proposed twice act once, and what answers it when the one who asked gets
 * a snapshot in place of the command.
 *
 * A request is named by (asker: host epoch, lane, number). Each asker numbers its requests from 1
 * in each lane and says with each its floor: below it everything is done and answered, and nothing
 * below is remembered. Numbers above are kept with their answers; an asker keeps fewer than
 * COMMANDS_OPEN_MAX open, so that is bounded. How a request gets here: core/command.h.
 */
#ifndef CORE_APPLIED_H
#define CORE_APPLIED_H

#include "base/list.h"
#include "base/map.h"
#include "wire/msgs.h"

#include <stdbool.h>

enum { COMMANDS_OPEN_MAX = 64 }; /* proposed and not yet applied, of one daemon in one lane */

/* Long: may take the master a minute (hosts that are started). Short: appended at once. Neither
 * waits for the other. */
enum command_lane { COMMAND_LONG, COMMAND_SHORT, COMMAND_LANES };

struct command_id {
    uint64_t asker;         /* epoch of the daemon that asked; 0 = nobody did */
    enum command_lane lane;
    uint64_t number;
    uint64_t floor;
};

struct applied {
    struct list askers;     /* struct applied_asker, in the order of their first request */
    struct map by_asker;
};

void applied_init(struct applied *applied);
void applied_fini(struct applied *applied);

/* |id| was applied, now or below the floor, or is none that can be: it must not act. */
bool applied_knows(const struct applied *applied, const struct command_id *id);
/* Remembers |id|, which is not known, and forgets what is below its floor. 0, -1 without memory. */
int applied_note(struct applied *applied, const struct command_id *id);
/* The answer of |id|, to be kept (copied). 0, -1 without memory. */
int applied_keep_answer(struct applied *applied, const struct command_id *id, const void *answer,
                        size_t length);
/* The answer kept for |id|; .data NULL: none was. */
struct wire_bytes applied_answer(const struct applied *applied, const struct command_id *id);
/* The daemon |asker| is no host any more. */
void applied_forget(struct applied *applied, uint64_t asker);

/* The whole set as records that point into |applied| and |arena|. 0, -1 without memory. */
int applied_save(const struct applied *applied, struct arena *arena,
                 struct wire_applied_list *askers);
/* Puts what was saved in the place of the set. 0; -1: no memory, or what cannot be. */
int applied_restore(struct applied *applied, const struct wire_applied_list *askers);
uint64_t applied_hash(const struct applied *applied);

#endif
