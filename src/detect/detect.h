/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is alive, and who may act: the failure detector of one daemon (decision D11) and its lease
 * (decision D12). What flows where, and why nobody who is cut off acts when the others have already
 * given him up: docs/faults.md.
 *
 * Probing is SWIM's (Das, Gupta, Motivala, DSN 2002) with Lifeguard's local health (Dadgar, Phillips,
 * Currey 2018): each member probes a few others, drawn from the epochs so that everybody is probed
 * by as many; who does not answer is asked for through others; who still does not is suspected, and
 * the leader is told. It asks the voters, and removes the suspect when nobody heard from it for
 * remove_after. Any sign of life ends a suspicion.
 *
 * The lease: a member may act for the virtual machine until lease_after from the moment at which it
 * last asked a voter that could answer for a leader with a majority. The leader removes nobody before
 * every lease of that one is over, whoever gave it.
 *
 * Pure: messages in, messages out (small, unreliable, repeated when it matters), time is an argument,
 * verdicts are pulled.
 */
#ifndef DETECT_DETECT_H
#define DETECT_DETECT_H

#include "base/arena.h"
#include "wire/msgs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

struct detect_member {
    uint64_t id;       /* host epoch */
    bool is_voter;
};
/* Who there is now, self included; what is known of those who stay is kept. 0, -1 without memory
 * (then nothing changed). */
int detect_set_members(struct detect *detect, const struct detect_member *members, size_t count,
                       uint64_t now_ns);
/* Who leads |term| as far as known here; 0 = nobody known. For the leader itself |quorum_at_ns|
 * (log_quorum_at()), told before each detect_pull(); else 0. */
void detect_set_leader(struct detect *detect, uint64_t leader, uint64_t term, uint64_t quorum_at_ns,
                       uint64_t now_ns);

/* Anything genuine came from |id|. */
void detect_heard(struct detect *detect, uint64_t id, uint64_t now_ns);
/* |id| is dead for certain (its guardian said so): a verdict follows, here and at the leader. */
void detect_dead(struct detect *detect, uint64_t id, uint64_t now_ns);
/* One detector message (DM_PROBE and its kin). 0; -1: none of these. */
int detect_receive(struct detect *detect, uint64_t from, const struct message *message,
                   uint64_t now_ns);
/* Timers. A call that comes late counts against the local health, not against the others: the time
 * in which we did not run is nobody's silence. */
void detect_expire(struct detect *detect, uint64_t now_ns);
uint64_t detect_deadline(const struct detect *detect);
/* The next message, to go as a note (unreliable), and to whom; false when there is none. */
bool detect_pull(struct detect *detect, struct arena *arena, uint64_t *to, struct message *message);

enum detect_news_kind {
    DETECT_SUSPECTED,   /* nobody here or asked by us heard from |id| for a while */
    DETECT_REFUTED,     /* it lives after all */
    DETECT_REMOVE,      /* leader: the time of |id| is over: remove it */
    DETECT_LEADER_HEARD,/* |id| leads |term| and answered: for log_leader_heard() */
    DETECT_VOTER_HEARD, /* leader: a round trip of voter |id| began at |at_ns|: log_voter_heard() */
    DETECT_DEAD,        /* |id| is dead for certain, somebody's guardian said: log_dead() */
    DETECT_LEASE_LOST   /* the lease is over: whatever acts here must end (D12) */
};
struct detect_news {
    enum detect_news_kind kind;
    uint64_t id;
    uint64_t term;
    uint64_t at_ns;
};
bool detect_next(struct detect *detect, struct detect_news *news);

/* Until when this member may act; UINT64_MAX before it is in a machine (no members). The guardian
 * holds the daemon to it. */
uint64_t detect_lease_until(const struct detect *detect);
/* 0 = in good health .. 8: by how much this member distrusts its own view. */
unsigned detect_local_health(const struct detect *detect);

#endif
