/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a detector knows, for the files of this folder alone. The users' header is detect/detect.h.
 *
 * Two clocks: |now_ns| is the caller's. Running time is that less |lost_ns|, the time in which
 * this daemon did not run (its timers fired late): silence of others is counted in running time,
 * so it is never counted longer than it was. The own lease is counted by the caller's clock.
 */
#ifndef DETECT_STATE_H
#define DETECT_STATE_H

#include "base/list.h"
#include "base/map.h"
#include "base/rng.h"
#include "detect/detect.h"
#include "detect/times.h"

enum {
    STOPS_MAX = 12,      /* of a train: a member, and voters with two majorities */
    DEPARTURES_KEPT = 64, /* what comes home later than so many departures is not believed */
    GONE_KEPT = 64       /* members that went: beyond them leases have to run out the long way */
};

/* Bits of member.news. */
enum {
    NEWS_DEAD = 1,
    NEWS_SUSPECTED = 2,
    NEWS_REFUTED = 4,
    NEWS_REMOVE = 8,
    NEWS_VOTER_HEARD = 16
};

struct member {
    uint64_t id;
    uint64_t hash;         /* place in the ring */
    uint32_t weight;       /* by the newest configuration, as in struct detect_voter */
    uint32_t old_weight;
    uint64_t heard_ns;     /* running time */
    uint64_t rode_ns;      /* when its own train last came by here, running time; 0 = never */
    uint64_t voters_index; /* the newest configuration that it is known to have known */
    uint64_t granted_ns;   /* the last departure from here that it confirmed; 0 = none */
    uint64_t mute_until_ns; /* it did not answer: not on the way of trains until then */
    bool is_target;
    bool is_suspected;
    bool is_dead;
    bool is_condemned;     /* the verdict was given; only while this member leads */
    uint8_t tries;         /* probes without answer */
    uint32_t probe_round;
    uint64_t probe_ns;     /* when to probe again */
    uint64_t told_ns;      /* when the leader was last told of the suspicion, or of the death */
    uint64_t reminded_ns;  /* when the verdict was last said */
    uint8_t news;
    uint64_t voter_heard_ns;
    struct inquiry *inquiry; /* of the leader, or NULL */
    struct list watch_node;  /* in watched (oldest sign of life first), in asked, or in none */
    bool is_watched;
    bool is_asked;
    struct list news_node;
};

/* One that is a member no more. */
struct gone {
    uint64_t id;
    uint64_t at_ns;
};

/* A configuration of voters that was in force here from |since_ns| on. */
struct voters {
    uint64_t index;
    uint64_t since_ns;
    size_t count;
    struct detect_voter list[DETECT_VOTERS_MAX];
};

struct rider {
    uint8_t stop;
    uint32_t round;
    uint16_t seen;
};

struct train {
    uint8_t hops;
    uint8_t next;
    uint8_t leader; /* stop plus one */
    uint16_t follows;
    uint64_t term;
    uint64_t voters_index; /* of all its riders */
    size_t stop_count;
    uint64_t stops[STOPS_MAX];
    size_t rider_count;
    struct rider riders[STOPS_MAX];
};

/* One message to send. */
struct letter {
    uint64_t to;
    enum message_type type;
    uint32_t round;
    uint64_t about;
    uint64_t origin;
    uint64_t silent_ns;
    uint64_t voters_index;
    struct train *train; /* of DM_TRAIN, owned */
};

struct departure {
    uint32_t round;
    uint64_t at_ns;
};

struct detect {
    uint64_t self;
    uint64_t dead_after_ns;
    struct rng rng;
    uint64_t now_ns;
    uint64_t lost_ns;
    uint64_t deadline_ns; /* as last told */
    unsigned health;
    uint64_t health_ns;   /* of its last change */

    struct map members;   /* by id; self is one of them */
    struct member **ring; /* by hash */
    size_t ring_place;    /* of self */
    struct member *me;    /* NULL: not in a machine */
    struct member *targets[DETECT_WATCHERS_MAX];
    size_t target_count;
    size_t target_next;
    uint64_t leader;
    uint64_t term;

    struct voters *voters; /* oldest first, the last is in force */
    size_t voters_count;
    size_t voters_capacity;
    struct gone gone[GONE_KEPT]; /* the last ones, a ring */
    size_t gone_next;

    /* the lease: lease.c, train.c */
    bool has_lease;       /* one has begun; else there is nothing to lose */
    bool is_confirmed;    /* by a majority, once */
    bool is_lost;
    uint64_t lease_until_ns;
    uint32_t round;       /* of the last departure */
    struct departure departures[DEPARTURES_KEPT];
    uint64_t departed_ns; /* the last one; 0 = none */
    bool is_waiting;      /* for a majority to confirm |goal_ns| */
    bool was_hard;        /* the last round needed more than a train */
    bool is_riding;       /* the round was begun by another member's train */
    uint64_t goal_ns;
    unsigned tries;
    uint64_t round_ns;    /* when to depart next, or, waiting, to ask directly */
    uint64_t trip_ns;     /* how long trains take, smoothed; 0 = not known */

    /* watching: watch.c */
    struct list watched;
    struct list asked;
    uint64_t asked_ns;    /* when to look after those in asked */
    uint64_t probe_ns;    /* when to probe the next target */
    uint64_t tombstone_ns; /* when to tell of deaths again; UINT64_MAX = nobody is dead */

    /* the leader's: verdict.c */
    struct list inquiries;
    uint64_t inquiry_ns;
    uint32_t inquiry_round;

    struct letter *letters;
    size_t letter_head;
    size_t letter_count;
    size_t letter_capacity;
    struct list newsworthy;
    bool has_leader_news;
    struct detect_news leader_news;
    bool has_loss_news;
};

static inline uint64_t share(const struct detect *detect, enum detect_time time)
{
    return time_of(detect->dead_after_ns, time);
}

static inline uint64_t running(const struct detect *detect)
{
    return detect->now_ns - detect->lost_ns;
}

static inline struct member *member_find(const struct detect *detect, uint64_t id)
{
    return map_get(&detect->members, id);
}

static inline bool member_votes(const struct member *member)
{
    return member->weight || member->old_weight;
}

static inline bool is_leading(const struct detect *detect)
{
    return detect->leader == detect->self;
}

/* A sign of life of |member|. */
void member_heard(struct detect *detect, struct member *member);
/* How long it has been silent, at most, in running time. */
uint64_t member_silence(const struct detect *detect, const struct member *member);
void member_news(struct detect *detect, struct member *member, unsigned bit);
/* This daemon is less (or, negative, more) to be trusted. */
void health_change(struct detect *detect, int by);

/* ---- post.c: what waits to be sent and told ---- */

/* A letter to fill in; NULL without memory: then it is lost like any other note. */
struct letter *post(struct detect *detect, uint64_t to, enum message_type type);
void post_clear(struct detect *detect);

#endif
