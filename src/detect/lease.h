/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lease: until when this member may act, and why nobody who was removed for silence still does.
 *
 * A member departs (sends its train) at s. When voters with a majority of the weight (of both sets
 * while joint) have confirmed departures of s or later, its lease ends at s + LEASE by its clock. A
 * lease that is over is over for good: it is looked at before anything else in every call, and what
 * comes later renews nothing.
 *
 * Claim. When the leader removes X for silence, the lease of X is over.
 *   The verdict says: at one moment T0 of the leader's clock, each voter w of a majority had last
 *   heard of X at U(w) <= T0 - REMOVE. (w says how long ago, counted in its running time, so not
 *   more than it was; the leader counts back from when the answer came, so U(w) is not too early;
 *   the question went out at T0 or later, so nothing that w heard before T0 is left out.)
 *   Suppose X had a lease at T0. Then it got it by a departure s, LEASE ago or less by its clock,
 *   that a majority confirmed. Two majorities have a voter w in common, and w heard of X when it
 *   confirmed, after s:
 *       T0 - LEASE / 0.97 <= s <= U(w) <= T0 - REMOVE,   but LEASE / 0.97 < REMOVE.
 *   So it had none at T0, and gets none any more. The leader, its term and its predecessors play no
 *   part: no quarantine is needed after an election.
 *
 * Two majorities of different configurations. X may be behind: it counts voters of C(k) while the
 * leader has C(m). Between the two each change had to be accepted by a majority of what was before,
 * so a majority of C(k) knew of the next configuration before C(k+1) was in force at any leader.
 *   - A voter confirms nothing to one whose newest configuration was replaced at that voter more
 *     than STALE_VOTERS ago. So leases by C(k) begin at most STALE_VOTERS after its end.
 *   - The leader needs majorities of all configurations that were in force at it within OLD_VOTERS
 *     = STALE_VOTERS + REMOVE, back to the newest one that X is known to have known.
 *     A voter of these that went in the meantime confirms nothing from then on: it counts as
 *     silent since it went. (Who was deleted is told to halt, who was removed for silence or by a
 *     tombstone cannot.)
 *   - A configuration that was never committed is joint, so whoever counts by it also has a
 *     majority by the one before.
 *
 * Not covered: a leader that is a host for less than OLD_VOTERS does not know what was in force
 * before. It could be wrong about one that counts by such a configuration, if all who confirmed
 * that one went out of the set since. To wait instead would keep the dead of a machine's first
 * seconds in the table for just as long, and with them whoever gets the log through them.
 *
 * A new host has FIRST_LEASE to be confirmed by a majority; before that it may not act
 * (detect_may_act()), since it may have been removed before it came to read that it was added.
 */
#ifndef DETECT_LEASE_H
#define DETECT_LEASE_H

#include "detect/state.h"

/* The configuration in force, NULL before the first. */
const struct voters *voters_now(const struct detect *detect);
/* Do voters that |counts| have a majority in |voters|? */
bool voters_majority(const struct voters *voters,
                     bool (*counts)(const void *context, uint64_t id), const void *context);
/* This member alone is a majority. */
bool voters_alone(const struct detect *detect);
/* May this member confirm a departure of one whose newest configuration is |index|? */
bool voters_may_confirm(const struct detect *detect, uint64_t index);
/* The first of the configurations of which majorities are needed for a verdict on one who knew
 * |index|: from there to the end of detect->voters. */
size_t voters_needed_from(const struct detect *detect, uint64_t index);
/* Takes over a configuration. 0, -1 without memory. */
int voters_set(struct detect *detect, const struct detect_voter *list, size_t count,
               uint64_t index);

/* Ends the lease when its time is over: before anything else in every call. */
void lease_expire(struct detect *detect);
/* Members, voters or what they confirmed changed: begins or renews the lease. */
void lease_update(struct detect *detect);
/* The departure by which the lease was last renewed, 0 = none: a majority confirmed it. */
uint64_t lease_start(const struct detect *detect);

#endif
