/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who is in the virtual machine, as this daemon sees it: the log carried to and from the others,
 * its commands applied, and what the coming and going of a host means to everything else here.
 *
 * A peer is another daemon that the mesh was told of. It becomes one before it is a host (while
 * joining) and may stay one a little after (to say goodbye).
 */
#ifndef CORE_MEMBER_H
#define CORE_MEMBER_H

#include "core/state.h"

struct peer {
    uint64_t epoch;
    uint32_t psk_epoch;     /* of the key the mesh was given; 0 = joining */
    bool is_down;           /* the mesh gave it up */
    bool is_parting;        /* no host any more: its link waits for its goodbye */
    struct timer timer;     /* TIMER_PEER: parting, or down for long */
};

/* NULL when it is none. */
struct peer *peer_find(const struct node *node, uint64_t epoch);
/* A link may be needed: tells the mesh, without a key of the virtual machine. NULL without
 * memory. */
struct peer *peer_add(struct node *node, uint64_t epoch, const uint8_t *public_key,
                      const struct wire_address *addresses, size_t address_count);
/* Drops the link. */
void peer_remove(struct node *node, uint64_t epoch, bool say_goodbye);
void peer_destroy(struct node *node, struct peer *peer);

/* Appends a command to the log. Its index, or 0 without memory. Master only. */
uint64_t member_propose(struct node *node, const struct message *command);
/* Removes hosts for |reason|: 0, or a PVM error code. Master only. */
int32_t member_propose_removal(struct node *node, const uint32_t *numbers, size_t count,
                               int32_t reason);
/* A new follower of the log, about to be a host. 0, or -1 without memory. */
int member_follow(struct node *node, uint64_t epoch);
/* Applies what is committed and sends what the log wants sent: at the end of every step. */
void member_run_log(struct node *node);

/* Events and messages. */
void member_peer_up(struct node *node, const struct event *event);
void member_peer_down(struct node *node, const struct event *event);
void member_log_message(struct node *node, uint64_t peer, const struct message *message);
void member_goodbye(struct node *node, uint64_t peer, const struct message *message);
void member_suspect(struct node *node, uint64_t peer, const struct message *message);
void member_peer_timer(struct node *node, struct timer *timer);

#endif
