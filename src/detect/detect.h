/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is alive, and who may act: the failure detector of one daemon (decision D11) and its lease
 * (decision D12). What follows from it: docs/faults.md; why the lease is as it is: detect/lease.h.
 *
 * Every member tells voters with a majority of the weight that it lives, each 0.15 of dead_after,
 * and has them confirm it: by a small train of notes that goes from voter to voter and home again,
 * and that voters on its way use for themselves (detect/train.h). That renews its lease and tells
 * the voters who is silent. Besides each member probes three others, as in SWIM (Das, Gupta,
 * Motivala, DSN 2002) with Lifeguard's local health (Dadgar, Phillips, Currey 2018); who does not
 * answer is asked for through others; who still does not is suspected and the leader is told
 * (detect/watch.h). The leader asks the voters, and gives the verdict when voters with a majority
 * had not heard of it at one moment for remove_after, and none had (detect/verdict.h).
 *
 * Pure: messages in, messages out (small, unreliable, repeated when it matters), time is an
 * argument (of a clock that goes on while the machine sleeps), verdicts are pulled. After each
 * call that changes something: detect_pull() until false, detect_next() until false, then
 * detect_deadline().
 */
#ifndef DETECT_DETECT_H
#define DETECT_DETECT_H

#include "base/arena.h"
#include "wire/msgs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DETECT_VOTERS_MAX = 14, DETECT_WATCHERS_MAX = 3, DETECT_HEALTH_MAX = 8 };

struct detect;

struct detect_config {
    uint64_t self;
    uint64_t dead_after_ns; /* a silent member is removed within this; all else is a share of it:
                               detect/times.h */
    uint64_t seed;
};

/* NULL without memory. */
struct detect *detect_create(const struct detect_config *config, uint64_t now_ns);
void detect_destroy(struct detect *detect);

/* Who there is now, self included (host epochs). What is known of those who stay is kept. 0, -1
 * without memory (then nothing changed: call again). */
int detect_set_members(struct detect *detect, const uint64_t *ids, size_t count, uint64_t now_ns);
struct detect_voter {
    uint64_t id;
    uint32_t weight;     /* in the newest configuration; 0 = only in the old one */
    uint32_t old_weight; /* in the old set while a change is under way (log_voters()), else 0 */
};
/* Who votes, also those who are members no more; at most DETECT_VOTERS_MAX. |index| is
 * log_voters_index(). To be told at every change of the configuration, committed or not, and
 * after detect_set_leader(): a voter has it from there. 0, -1
 * without memory (then nothing changed: call again). */
int detect_set_voters(struct detect *detect, const struct detect_voter *voters, size_t count,
                      uint64_t index, uint64_t now_ns);
/* Who leads |term| as far as known here; 0 = nobody known. */
void detect_set_leader(struct detect *detect, uint64_t leader, uint64_t term, uint64_t now_ns);

/* Anything genuine came from |id|. */
void detect_heard(struct detect *detect, uint64_t id, uint64_t now_ns);
/* |id| is dead for certain (its guardian said so): a verdict follows, here and at the leader. */
void detect_dead(struct detect *detect, uint64_t id, uint64_t now_ns);
/* One detector message (DM_TRAIN, DM_PROBE and their kin, 96 to 102 of msgs.def). 0; -1: none of
 * these, or nonsense. */
int detect_receive(struct detect *detect, uint64_t from, const struct message *message,
                   uint64_t now_ns);
/* Timers. A call that comes late counts against the local health, not against the others: the time
 * in which we did not run is nobody's silence. */
void detect_expire(struct detect *detect, uint64_t now_ns);
/* UINT64_MAX = not before another call. */
uint64_t detect_deadline(const struct detect *detect);
/* The next message, to go as a note (unreliable), and to whom; false when there is none. */
bool detect_pull(struct detect *detect, struct arena *arena, uint64_t *to, struct message *message);

enum detect_news_kind {
    DETECT_SUSPECTED,   /* nobody here or asked by us heard from |id| for a while */
    DETECT_REFUTED,     /* it lives after all */
    DETECT_REMOVE,      /* leader: the time of |id| is over: remove it; said again and again */
    DETECT_LEADER_HEARD,/* |id| leads |term| and answered: for log_leader_heard() */
    DETECT_VOTER_HEARD, /* leader: a round trip of voter |id| began at |at_ns|: log_voter_heard() */
    DETECT_DEAD,        /* |id| is dead for certain, somebody's guardian said: log_dead() */
    DETECT_LEASE_LOST   /* the lease is over: whatever acts here must end (D12). Nothing follows:
                           this detector is silent from then on */
};
struct detect_news {
    enum detect_news_kind kind;
    uint64_t id;
    uint64_t term;
    uint64_t at_ns;
};
bool detect_next(struct detect *detect, struct detect_news *news);

/* Until when this member may act; UINT64_MAX before it is in a machine (no members) and while it is
 * a majority alone. The guardian holds the daemon to it. */
uint64_t detect_lease_until(const struct detect *detect);
/* A majority has confirmed this member, so the lease is one to act under. False between its
 * addition and that, some milliseconds later: perhaps it was removed again before it came to read
 * that it was added. A new host starts no tasks until then. */
bool detect_may_act(const struct detect *detect);
/* Who probes this member and so should have its tombstone (besides the voters and the leader):
 * writes at most DETECT_WATCHERS_MAX ids, returns how many. Changes with the members. */
size_t detect_watchers(const struct detect *detect, uint64_t *ids);
/* 0 = in good health .. DETECT_HEALTH_MAX: by how much this member distrusts its own view. */
unsigned detect_local_health(const struct detect *detect);

#endif
