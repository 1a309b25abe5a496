/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several logs in one process, in virtual time, with a bag of messages between them that loses,
 * repeats and reorders, and can be cut. After each step the properties of figure 3.2 of the
 * dissertation are checked; the first breach is kept in |wrong|.
 *
 * A member is its number 1..CLUSTER_MAX, which is also its id. Voters ask their leader every
 * BEAT_NS, as detect does. Everybody feeds whom log/tree.h says, by his own view of the voters.
 */
#ifndef TESTS_LOG_CLUSTER_H
#define TESTS_LOG_CLUSTER_H

#include "base/rng.h"
#include "log/state.h"

enum { CLUSTER_MAX = 24, CLUSTER_TERMS = 4096, CLUSTER_INDEXES = 8192 };

#define MS ((uint64_t)1000000)
#define BEAT_NS (800 * MS)
#define ELECTION_NS (3400 * MS)
#define SPREAD_NS (400 * MS)
#define RESEND_NS (300 * MS)

struct parcel {
    int from;
    int to;
    uint64_t due_ns;
    uint64_t sequence;
    uint8_t *bytes; /* NULL: a beat */
    size_t length;
    bool is_answer; /* of a beat */
    uint64_t term;
    uint64_t at_ns;
};

struct chain {
    uint64_t term;
    uint64_t known_in; /* the term in which it was seen to be committed */
    uint64_t hash;     /* of all commands up to here */
};

struct member {
    struct log *log; /* NULL: not there, or dead */
    uint64_t hash;   /* what was applied */
    uint64_t next_beat_ns;
    uint64_t echo_ns; /* the leader's time in its last answer, and its term */
    uint64_t echo_term;
    bool was_used;          /* an id is used once */
    uint64_t leads_checked; /* the last term in which it was seen to lead */
};

struct cluster {
    struct rng rng;
    uint64_t now_ns;
    struct member members[CLUSTER_MAX + 1];
    bool is_cut[CLUSTER_MAX + 1][CLUSTER_MAX + 1];
    struct parcel *parcels;
    size_t parcel_count;
    size_t parcel_capacity;
    uint64_t sequence;
    uint32_t loss_ppm;
    uint32_t repeat_ppm;
    uint64_t delay_min_ns;
    uint64_t delay_spread_ns;
    bool without_tree;
    bool without_beats;
    int leaders[CLUSTER_TERMS];            /* who led a term */
    struct chain applied[CLUSTER_INDEXES]; /* what was applied at an index, by whoever was first */
    uint64_t applied_last;
    uint64_t messages; /* of logs, delivered */
    const char *wrong;
    struct arena arena;
};

void cluster_init(struct cluster *cluster, uint64_t seed);
void cluster_fini(struct cluster *cluster);
/* Members 1..|count|: 1 founds, the others join, and |voters| of them vote, 1 with the tie. */
void cluster_begin(struct cluster *cluster, uint64_t seed, int count, int voters);

void cluster_create(struct cluster *cluster, int member);
/* The leader takes |member| in. */
void cluster_join(struct cluster *cluster, int member);
void cluster_kill(struct cluster *cluster, int member);
/* Everybody who is there hears for certain that |member| is dead. */
void cluster_tombstone(struct cluster *cluster, int member);

void cluster_cut(struct cluster *cluster, int a, int b, bool cut);
/* Members in |side| (bit i: member i) and all others hear nothing of each other. */
void cluster_split(struct cluster *cluster, uint32_t side);
void cluster_heal(struct cluster *cluster);

/* Everything up to |until_ns|. */
void cluster_run(struct cluster *cluster, uint64_t until_ns);
void cluster_run_for(struct cluster *cluster, uint64_t ns);
/* The next event; false when it would be after |until_ns|. */
bool cluster_step(struct cluster *cluster, uint64_t until_ns);
/* Until |done| or the deadline; whether it came true. */
bool cluster_run_until(struct cluster *cluster, bool (*done)(struct cluster *cluster),
                       uint64_t within_ns);
/* What a call on |member|'s log made it say and apply. */
void cluster_flush(struct cluster *cluster, int member);

/* The leader with the newest term, 0 = nobody. */
int cluster_leader(const struct cluster *cluster);
/* Of those who lead, how many could commit: what is asked of them in vain is not counted. */
uint64_t cluster_propose(struct cluster *cluster, int member, char letter);
int cluster_change(struct cluster *cluster, int member, uint32_t voters, int tie);
bool cluster_has_leader(struct cluster *cluster);
/* One leader, known to all who are there; everything committed and applied by everybody. */
bool cluster_agrees(struct cluster *cluster);
void cluster_compact(struct cluster *cluster, int member);
uint32_t cluster_voters(const struct cluster *cluster, int member);

#endif
