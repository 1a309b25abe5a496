/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Leaving and coming back (decision D12). A daemon whose lease is over is no host any more: it ends
 * all that acts here and asks to join again as a new host. It knows the voters of before, they know
 * its public key (core/lost.h); that, and nothing secret, is what lets it in.
 *
 * The lost one asks all voters (DM_REJOIN); one that leads says yes and sends a welcome like to any
 * new host, one that does not names the master or says: later. The links of the asking carry the
 * epoch of before, those of the welcome the new one.
 */
#ifndef CORE_REJOIN_H
#define CORE_REJOIN_H

#include "core/state.h"

/* Whom a lost daemon asks. */
struct rejoin {
    uint64_t old_epoch;
    struct wire_host *voters; /* of before, and masters named since; in node->keep */
    size_t count;
    uint64_t until_ns;
    uint64_t accepted_by;     /* 0 = nobody did */
};

/* The lease is over: EFFECT_REJOIN. */
void rejoin_lost(struct node *node);
/* EVENT_START of a node made by node_rejoin(). */
void rejoin_begin(struct node *node);
void rejoin_timer(struct node *node);
/* The link to one that was asked, or that accepted, is dead. */
void rejoin_peer_down(struct node *node, uint64_t peer);
/* DM_REJOINED. */
void rejoined_message(struct node *node, uint64_t peer, const struct message *message);

/* DM_REJOIN, at one who stayed. */
void rejoin_message(struct node *node, uint64_t peer, const struct message *message);

#endif
