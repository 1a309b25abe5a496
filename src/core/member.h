/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is in the virtual machine, as this daemon sees it: the log carried to and from the others,
 * its commands applied, and what the coming and going of a host means to everything else here.
 *
 * A peer is another daemon that the mesh was told of: a host, or one of those that are not (any
 * more) and may say only what the table of messages in node.c allows them.
 */
#ifndef CORE_MEMBER_H
#define CORE_MEMBER_H

#include "core/state.h"

enum peer_role {
    PEER_HOST,     /* in the table */
    PEER_JOINER,   /* we add it */
    PEER_WELCOMER, /* we want to join: it may welcome us */
    PEER_PARTING,  /* was deleted: its link waits for its goodbye */
    PEER_TOKEN,    /* whoever has the token for a host: may say DM_ARRIVED, once */
    PEER_LOST      /* failed, and may knock again: core/lost.h */
};

struct peer {
    uint64_t epoch;
    enum peer_role role;
    uint32_t psk_epoch;     /* of the key the mesh was given; 0 = none */
    bool is_down;           /* the mesh gave it up */
    bool was_up;            /* its link has stood before */
    bool is_silent;         /* as the detector finds */
    bool is_dead;           /* its guardian said so */
    bool is_doomed;         /* the master is to remove it: core/master.h */
    uint64_t removal_term;  /* in which that was proposed */
    uint64_t direct_until_ns; /* multicasts go to it directly: core/mcast.h */
    struct timer timer;     /* TIMER_PEER: parting */
};

/* NULL when it is none. */
struct peer *peer_find(const struct node *node, uint64_t epoch);
/* A link may be needed: tells the mesh, without a key of the virtual machine. The other calls us
 * |self|, 0 = our epoch. NULL without memory. */
struct peer *peer_add_as(struct node *node, enum peer_role role, const struct wire_host *info,
                         uint64_t self);
/* Drops the link. */
void peer_remove(struct node *node, uint64_t epoch, bool say_goodbye);
/* Drops it when it has had its time to hear our last word. */
void peer_part(struct node *node, uint64_t epoch);
void peer_destroy(struct node *node, struct peer *peer);

/* Appends a command to the log. Its index, or 0: no memory, or not the master (any more). */
uint64_t member_propose(struct node *node, const struct message *command);
/* Removes hosts for |reason|, because |id| asked for it (NULL = nobody), who gets |answer|. As
 * member_propose(). */
uint64_t member_propose_removal(struct node *node, const uint32_t *numbers, size_t count,
                                int32_t reason, const struct command_id *id,
                                const struct message *answer);
/* A new follower of the log, about to be a host. 0, or -1 without memory. Master only. */
int member_follow(struct node *node, uint64_t epoch);
/* Applies what is committed, acts on it, and sends what the log wants sent: at the end of every
 * step. */
void member_run_log(struct node *node);
/* The voters have a link to each lost host, the others to none. */
void member_sync_lost(struct node *node);

/* Events and messages. */
void member_peer_up(struct node *node, const struct event *event);
void member_peer_down(struct node *node, const struct event *event);
void member_log_message(struct node *node, uint64_t peer, const struct message *message);
void member_goodbye(struct node *node, uint64_t peer, const struct message *message);
void member_peer_timer(struct node *node, struct timer *timer);

#endif
