/* SPDX-License-Identifier: BSD-3-Clause */
/* The insides of libpvm/pairs.h, for its three files only. */
#ifndef LIBPVM_PAIRS_STATE_H
#define LIBPVM_PAIRS_STATE_H

#include "base/map.h"
#include "libpvm/pairs.h"
#include "share/segment.h"

#pragma GCC visibility push(hidden)

struct pair {
    struct shm_pair *shm;
    struct share_peer peer; /* when joined */
    int tid;
    uint32_t index;  /* of the peer in inboxes, when joined */
    bool is_joined;
    bool has_route;  /* the peer is known to have joined too: messages go this way */
    bool is_bad;     /* the peer broke the rules: nothing goes this way any more */
    bool must_attach; /* the daemon is to be told */
    bool must_wake;  /* the peer sleeps, and we have not its bell */
    bool owes;       /* large bodies came, whose memory the peer may miss */
    bool has_parcel; /* |parcel| came and there was no memory to take it in */
    struct parcel parcel;
    uint32_t signalled; /* the peer's sleep for which it was signalled last */
    unsigned quiet;   /* looks in vain since it had something */
    unsigned unpaced; /* sends since its room was looked at, which is done */
    unsigned pace_every; /* after so many */
    struct pair *retired; /* the next one that is closed later */
};

struct pairs {
    struct client *client;
    uint32_t index; /* own; 0 = no sharing */
    struct share_own own;
    struct shm_ears ears;
    struct map by_tid;
    struct pair **by_index;
    size_t index_capacity;
    struct pair *recent; /* found last by tid */
    struct pair *daemon;
    unsigned joined;
    unsigned asked;  /* not joined yet */
    unsigned routed; /* joined by both */
    unsigned bells; /* descriptors of peers kept */
    int *wants;     /* tids the client would like to have a route to */
    size_t want_count;
    size_t want_capacity;
    bool fds_sent;  /* with the first TM_ATTACH */
    bool is_refused; /* no segment could be made */
    uint64_t trimmed_at; /* populated bytes when trimming found nothing more */
    unsigned watchers;    /* waits that look at all this: nothing is freed, nothing moves */
    bool must_leave;      /* when nobody watches */
    struct pair *retired; /* to be freed likewise */
};
extern struct pairs pairs;

/* The pair with |tid|, or NULL. */
struct pair *pair_find(int tid);
static inline struct pair *pair_of_tid(int tid)
{
    return pairs.recent && pairs.recent->tid == tid ? pairs.recent : pair_find(tid);
}
static inline struct pair *pair_of_index(int index)
{
    return (size_t)index < pairs.index_capacity ? pairs.by_index[index] : NULL;
}
/* The segment, made when first needed. 0 or -1: this task cannot share. */
int own_open(void);
/* A pair that is not joined. NULL without memory. */
struct pair *pair_create(int tid);
/* Joined: known by its index, listened to. 0 or -1. */
int pair_enter(struct pair *pair, uint32_t index);
/* Takes |pair| out of all books and closes it, now or when nobody watches. */
void pair_close(struct pair *pair);
/* The peer has joined: messages for it go this way from now on. 0 or -1 without memory. */
int pair_use(struct pair *pair);
/* The peer broke the rules. */
void pair_spoil(struct pair *pair);
/* Feeds at most |most| messages; how many, or an error. */
int pair_take(struct pair *pair, int most);

#pragma GCC visibility pop

#endif
