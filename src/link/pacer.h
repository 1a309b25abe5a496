/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Spreads a window over a round trip (RFC 9002 section 7.7) as a token bucket.
 *
 * The bucket holds what one tick of the shell's timer lets through, so that on short round trips
 * nothing waits for a timer that is coarser than the trip itself.
 */
#ifndef LINK_PACER_H
#define LINK_PACER_H

#include <stddef.h>
#include <stdint.h>

struct pacer {
    uint64_t tokens_bytes;
    uint64_t updated_ns;
};

void pacer_init(struct pacer *pacer, uint64_t now_ns);
/* 0 when a datagram may go now, else how long to wait. */
uint64_t pacer_wait_ns(struct pacer *pacer, uint64_t window_bytes, uint64_t rtt_ns,
                       size_t datagram_bytes, uint64_t now_ns);
void pacer_sent(struct pacer *pacer, size_t bytes);

#endif
