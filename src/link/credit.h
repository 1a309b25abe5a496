/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What peers may have in flight towards this daemon, so that its socket's receive buffer never
 * overflows: 200 hosts that answer a broadcast at once share 208 KiB.
 *
 * Counted in charges: about what a datagram costs in the kernel, which is much more than its
 * bytes. Every peer has a standing share: a part of half the buffer, at least one small datagram.
 * The other half is a pool: a peer that has more to send asks (WANT), is granted a part (GRANT),
 * and loses it again when it is idle or when others wait and its turn is over. What was taken back
 * is free again when the peer has acknowledged the smaller grant, or when it has had ample time
 * to.
 *
 * No frame is built here: shares whose peer must be told are in |changed|, see
 * credit_next_changed().
 */
#ifndef LINK_CREDIT_H
#define LINK_CREDIT_H

#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CREDIT_FLOOR = 768, /* one datagram of at most CREDIT_FLOOR_BYTES is always allowed */
    CREDIT_FLOOR_BYTES = 128,
    CREDIT_GRANT_MIN = 16384, /* smaller grants are not worth their packets */
    CREDIT_BUDGET_MIN = 65536 /* a smaller socket buffer is treated as this one */
};

/* What a datagram of that many bytes costs in a receive buffer, and the largest datagram that
 * costs at most |charge| (0: none). */
uint64_t credit_charge(size_t datagram_bytes);
size_t credit_room(uint64_t charge);

/* One peer's share. */
struct credit_share {
    struct list node;    /* in credit.waiting or credit.holding, or alone */
    struct list changed; /* in credit.changed while its peer is to be told */
    struct list returns; /* in credit.returns while |returning| is not 0 */
    bool is_holding;
    uint64_t limit;    /* what the peer may have in flight: standing plus granted */
    uint64_t sequence; /* of |limit| */
    uint64_t wanted;   /* what it asked for; 0 = nothing */
    uint64_t granted;  /* from the pool */
    uint64_t returning, returning_sequence, returning_ns; /* taken back, not yet confirmed */
    uint64_t since_ns;                                    /* holding since */
    uint64_t used_ns;                                     /* last data */
};

struct credit {
    uint64_t budget;
    uint64_t standing; /* of every peer */
    uint64_t pool;
    int64_t available; /* of |pool|; below 0 for a while after peers were added */
    struct list waiting, holding, changed;
    struct list returns; /* oldest first */
};

void credit_init(struct credit *credit, size_t receive_buffer_bytes);
/* The number of peers changed. True when the standing share did: then call
 * credit_share_refresh() for every share in use. */
bool credit_set_peers(struct credit *credit, size_t count);
void credit_share_init(struct credit_share *share, const struct credit *credit);
/* The share's peer is gone, all its credit is free. */
void credit_share_fini(struct credit *credit, struct credit_share *share);
void credit_share_refresh(struct credit *credit, struct credit_share *share);
/* The peer asks for |amount| (a charge); 0 gives the grant back. */
void credit_want(struct credit *credit, struct credit_share *share, uint64_t amount,
                 uint64_t now_ns);
/* Data of the peer came. */
void credit_used(struct credit_share *share, uint64_t now_ns);
/* The peer acknowledged the grant with that sequence. */
void credit_confirmed(struct credit *credit, struct credit_share *share, uint64_t sequence,
                      uint64_t now_ns);
/* Takes back and hands out. Call it at credit_deadline_ns() and after credit_want(). */
void credit_run(struct credit *credit, uint64_t now_ns);
uint64_t credit_deadline_ns(const struct credit *credit);
/* Takes one share out of |changed|; NULL when none is there. */
struct credit_share *credit_next_changed(struct credit *credit);

#endif
