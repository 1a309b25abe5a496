/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The receiver's side of acknowledgement: which packet numbers came, and when to say so.
 *
 * Every second packet that asks for it, or enough bytes, or anything out of order is acknowledged
 * at once (RFC 9000 section 13.2.1 and 13.2.2); else within ACK_DELAY_NS, so that an answer can
 * carry it.
 */
#ifndef LINK_ACKS_H
#define LINK_ACKS_H

#include "link/frame.h"
#include "link/ranges.h"

#define ACK_DELAY_NS UINT64_C(1000000)

struct acks {
    struct ranges received;
    uint64_t largest_ns;    /* when the largest number came */
    uint32_t unacked_count; /* packets asking for acknowledgement since the last one we sent */
    uint64_t unacked_bytes;
    uint64_t due_ns; /* UINT64_MAX = nothing to say */
};

void acks_init(struct acks *acks);
void acks_fini(struct acks *acks);
/* A genuine packet came. -1 without memory: the packet must not be acknowledged, so not be used. */
int acks_record(struct acks *acks, uint64_t number, bool asks, size_t bytes, uint64_t now_ns);
/* The most bytes acks_encode() would now write: 0 when nothing was received. */
size_t acks_size(const struct acks *acks);
/* Writes an ACK frame of at most |room| bytes (the oldest ranges are left out first) and starts the
 * delay anew. Returns the largest number acknowledged; UINT64_MAX when nothing was written. */
uint64_t acks_encode(struct acks *acks, struct wr *wr, size_t room, uint64_t now_ns);
/* The peer knows our ACK of |largest|: older ranges need not be told again (section 13.2.4). */
void acks_confirmed(struct acks *acks, uint64_t largest);

#endif
