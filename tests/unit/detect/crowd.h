/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many detectors in virtual time, a bad network and bad computers between them, and what the log
 * would do about their verdicts. For crowd_test.c.
 *
 * Time of the world is |now_ns|; every node has a clock of its own, up to CROWD_DRIFT_PPM wrong.
 * The log is played by the harness: a leader that all but a majority of the voters lost for
 * ELECTION is replaced; a verdict of the leader is committed when it reaches a majority, and
 * reaches each node a little later. At each commit it is checked that the removed one acts no
 * more.
 */
#ifndef TESTS_DETECT_CROWD_H
#define TESTS_DETECT_CROWD_H

#include "base/heap.h"
#include "base/map.h"
#include "base/rng.h"
#include "detect/detect.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)

enum { CROWD_NODES_MAX = 1024, CROWD_VOTERS = 7, CROWD_DRIFT_PPM = 15000 };

struct crowd_config {
    uint64_t seed;
    size_t nodes;
    uint64_t dead_after_ns;
    uint32_t loss_ppm;       /* share of the time in which a path loses everything: bursts */
    uint64_t burst_ns;       /* mean length of a burst */
    uint32_t one_by_one_ppm; /* besides, of single messages */
    uint64_t delay_ns;       /* of a message at least; twice that at most */
    uint32_t drift_ppm;
};

struct crowd_node {
    uint64_t id;
    struct detect *detect;
    bool is_member;       /* of the committed table */
    bool is_running;      /* false: killed, or ended as its lease was over */
    uint64_t killed_ns;
    uint64_t removed_ns;
    uint64_t frozen_until_ns;
    uint64_t starved_until_ns; /* its timers come up to a tenth of dead_after late */
    uint64_t late_deadline_ns, late_until_ns;
    int64_t drift_ppm;
    uint64_t clock_offset_ns;
    struct heap_node timer;
    struct crowd_event *held_first, *held_last; /* came while frozen */
    uint64_t lost_lease_ns;  /* when it noticed */
    uint64_t heard_ns;       /* when anybody last got a message of it */
    uint64_t silent_max_ns;  /* the longest it was not heard of */
    uint64_t sent, received, sent_bytes, wakes, busy_until_ns;
    uint64_t leader_heard_ns; /* its last DETECT_LEADER_HEARD */
    uint64_t leader_gap_ns;   /* the longest without */
    uint64_t lease_left_min_ns; /* the least that was left of its lease */
    unsigned suspected, refuted;
    size_t table; /* version applied */
};

/* What the log would hold: one version of the table. */
struct crowd_table {
    size_t count;
    uint64_t *ids;
    struct detect_voter voters[DETECT_VOTERS_MAX];
    size_t voter_count;
    uint64_t index;
};

struct crowd {
    struct crowd_config config;
    uint64_t now_ns;
    struct rng net, chance;
    struct heap events, timers;
    struct crowd_node nodes[CROWD_NODES_MAX];
    size_t node_count;
    struct crowd_table *tables;
    size_t table_count, table_capacity;
    struct map by_id; /* crowd_node by id */
    size_t leader;    /* index of a node */
    uint64_t term;
    uint64_t leader_lost_ns; /* since when no majority reaches it; 0 = it does */
    uint64_t voter_heard_ns[CROWD_VOTERS]; /* leader's evidence */
    struct path *paths;   /* node_count squared, bursts */
    uint64_t blackout_until_ns;
    bool is_changing; /* of voters: joint */
    uint64_t change_ns;

    /* what went wrong, what was seen */
    unsigned removed_alive;  /* a running node, lease over or not, was removed */
    unsigned unsafe;         /* ... and could still act */
    unsigned leases_lost;    /* of running nodes */
    uint64_t silence_allowed_ns; /* removals and losses after more silence are not counted */
    uint64_t *detected_ns;   /* from kill to commit, each */
    size_t detected_count, detected_capacity;
    uint64_t bytes_max;      /* of one message */
    uint64_t messages;
    bool verbose;
};

int crowd_init(struct crowd *crowd, const struct crowd_config *config);
void crowd_fini(struct crowd *crowd);
void crowd_run(struct crowd *crowd, uint64_t for_ns);
/* Ends it without a word; |tombstone|: its guardian tells those it should. */
void crowd_kill(struct crowd *crowd, size_t node, bool tombstone);
void crowd_freeze(struct crowd *crowd, size_t node, uint64_t for_ns);
void crowd_starve(struct crowd *crowd, size_t node, uint64_t for_ns);
void crowd_blackout(struct crowd *crowd, uint64_t for_ns);
/* Nothing goes from |from| to |to| until then. */
void crowd_cut(struct crowd *crowd, size_t from, size_t to, uint64_t for_ns);
/* A new host in the place of one that is gone. */
void crowd_replace(struct crowd *crowd, size_t node);
bool crowd_is_voter(const struct crowd *crowd, size_t node);
/* Forgets counters of traffic. */
void crowd_reset_counters(struct crowd *crowd);

#endif
