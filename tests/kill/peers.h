/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A few real processes that share memory as tasks do (share/segment.h, shm/pair.h), for tests in
 * which one of them dies or is hostile. The parent plays the daemon: it starts them, and tells
 * those who are left when one is gone. Each process of a group has a pair with each other one.
 */
#ifndef TESTS_KILL_PEERS_H
#define TESTS_KILL_PEERS_H

#include "share/segment.h"

#include <stdbool.h>
#include <sys/types.h>

enum { PEERS_MAX = 3 };

/* What a process of the group knows of another. */
struct peer {
    struct share_peer share;
    struct shm_pair *pair; /* NULL: gone */
    bool is_attached;
    bool is_gone; /* the parent said so; what it left is still to be read */
    int sent, taken;
    struct slice held; /* of the last lent message */
    int held_message;
};

struct group {
    int count;
    int self;
    struct share_own own;
    struct shm_ears ears;
    struct peer peers[PEERS_MAX]; /* [self] is not used */
    int control;                  /* bytes from the parent: who is gone */
};

/* ---- the parent ---- */

/* Runs |main| as |count| processes until all have ended. Each returns its exit status. Those who
 * are left are told of each end. |status|: what waitpid() said of each. False: not done after
 * |limit_s| seconds; then they were killed. */
bool group_run(int count, int (*main)(struct group *group), int status[PEERS_MAX], int limit_s);

/* ---- a process of the group ---- */

/* Makes its memory and shares it with all others, as far as they live. False: no memory. */
bool group_attach(struct group *group);
/* Sleeps on bell and parent until one has something; |timeout_ms| -1: no limit. Everything was
 * looked at after shm_ears_sleep(). */
void group_sleep(struct group *group, int timeout_ms);
/* Sets is_gone of those whom the parent has named. */
void group_hear(struct group *group);
/* After publishing to |peer|. */
void group_ring(struct group *group, int peer);
/* The pair with a peer that is gone: closed, what it held comes back. */
void group_close(struct group *group, int peer);

#endif
