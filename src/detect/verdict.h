/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The leader's verdict on a suspect. It asks all who vote (and who lately voted: detect/lease.h)
 * when they last heard of it. Whoever was asked and has not heard of it for FRESH probes it too.
 * When the suspect was heard of by anybody within FRESH, that is the end of the inquiry; otherwise
 * the question is asked again, at the latest when the last sign of life that anybody knows of is
 * REMOVE old.
 *
 * The verdict is given when, at the moment the question went out, voters with majorities in all
 * configurations that matter had not heard of it for REMOVE, and nobody who answered had. Voters
 * that live but have not answered are waited for until GIVE_UP: not for safety, but because the
 * suspect may be able to reach just them.
 */
#ifndef DETECT_VERDICT_H
#define DETECT_VERDICT_H

#include "detect/state.h"

/* Begins an inquiry unless one is under way or |member| was heard of here lately. */
void verdict_open(struct detect *detect, struct member *member);
/* |member| was heard of here. */
void verdict_heard(struct detect *detect, struct member *member);
/* It is to be removed, say so until it is gone. */
void verdict_condemn(struct detect *detect, struct member *member);
/* |member| goes, or this member leads no more. */
void verdict_drop(struct detect *detect, struct member *member);
void verdict_drop_all(struct detect *detect);
void verdict_run(struct detect *detect);
uint64_t verdict_deadline(const struct detect *detect);
/* This daemon did not run: answers get another moment. */
void verdict_postpone(struct detect *detect);

void verdict_receive_suspected(struct detect *detect, const struct wire_dm_suspected *suspected);
void verdict_receive_ask(struct detect *detect, uint64_t from,
                         const struct wire_dm_ask_heard *asked);
void verdict_receive_last(struct detect *detect, uint64_t from,
                          const struct wire_dm_last_heard *last);

#endif
