/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Watching: whom this member probes, whom it suspects, who is dead for certain.
 *
 * Watched are: three targets (places in a ring of hashes, so each member is the target of three),
 * of which one is probed each PROBE unless it was heard of; for a voter, all whose trains come by,
 * and the leader; for the leader, all voters. Who was silent for FRESH is asked. No answer within
 * PROBE_REPLY: again, and through two others. Silent for SUSPECT (more in bad health) and asked
 * twice: suspected, and the leader is told, again and again. Any sign of life ends it. The number
 * of a probe comes back with the answer: an old answer that was long on its way is no sign of
 * life. (It stands for SWIM's incarnation, which is needed only where suspicions are passed on as
 * facts.)
 */
#ifndef DETECT_WATCH_H
#define DETECT_WATCH_H

#include "detect/state.h"

/* The ring and the targets, after members changed. */
void watch_ring(struct detect *detect);
/* Everything that is due. */
void watch_run(struct detect *detect);
uint64_t watch_deadline(const struct detect *detect);
/* Probes |member| now unless that is under way. */
void watch_ask(struct detect *detect, struct member *member);
/* A sign of life: it is neither asked nor suspected any more, and watched if it is to be. */
void watch_heard(struct detect *detect, struct member *member);
/* There is a new leader: whom is it to watch, and what is it to be told? */
void watch_leader_changed(struct detect *detect);
/* |member| goes. */
void watch_forget(struct detect *detect, struct member *member);
/* Its guardian said that |member| is dead. */
void watch_dead(struct detect *detect, struct member *member);
/* This daemon did not run: what was asked before gets another moment. */
void watch_postpone(struct detect *detect);

void watch_receive_probe(struct detect *detect, uint64_t from, const struct wire_dm_probe *probe);
void watch_receive_probed(struct detect *detect, uint64_t from,
                          const struct wire_dm_probed *probed);

#endif
