/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames to hosts of which this daemon has not heard yet. A tid may come by a message before the
 * news of its host comes by the log, for the two travel apart; a frame dropped then would leave a
 * hole in the sequence of its pair (promise 1). Numbers are given increasing, so a host that is yet
 * to come has a number above all that were given. What is held is bounded: beyond it frames vanish,
 * as those to hosts that do not exist (API-47).
 */
#ifndef CORE_EARLY_H
#define CORE_EARLY_H

#include "core/state.h"

enum { EARLY_BYTES_MAX = 1024 * 1024 };

/* The host of |tid| is not in the table but may yet come into it. */
bool early_may_come(const struct node *node, uint32_t tid);
/* Asks the log whether the host of |tid|, which may come, has come meanwhile: who could have given
 * the tid away knows the host, so once a command of now is applied here it is here too. |finish| is
 * called then. 0; -1 without memory. */
int early_ask(struct node *node, const struct command_ask *ask, uint32_t tid);
/* Keeps |frame| when its host may yet come. False: it will not, or there is no room. */
bool early_hold(struct node *node, const struct frame *frame);
/* The table changed: sends what can go now, forgets what never will. */
void early_release(struct node *node);
void early_fini(struct node *node);

#endif
