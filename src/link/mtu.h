/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How large a datagram the path carries: DPLPMTUD (RFC 8899) with a fixed ladder of sizes.
 *
 * A probe is a packet of padding. It goes one step up while there is bulk to send; three lost ones
 * end the search for a while. Large packets lost in a row, while small ones get through, are a
 * black hole: back to the base.
 */
#ifndef LINK_MTU_H
#define LINK_MTU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MTU_BASE = 1200 };

struct mtu {
    size_t base; /* what every path carries: MTU_BASE, a little less through a relay */
    size_t current;
    size_t max;
    size_t probing; /* size of the probe in flight; 0 = none */
    unsigned probes_lost;
    unsigned lost_in_row; /* large packets, none of them arrived in between */
    uint64_t search_after_ns;
};

void mtu_init(struct mtu *mtu, size_t base, size_t datagram_bytes_max);
/* The size of a probe that is worth sending now, at most |size_max|; 0 = none. */
size_t mtu_probe_size(const struct mtu *mtu, size_t size_max, uint64_t now_ns);
void mtu_probe_sent(struct mtu *mtu, size_t bytes);
void mtu_probe_acked(struct mtu *mtu, size_t bytes);
void mtu_probe_lost(struct mtu *mtu, uint64_t now_ns);
/* An ordinary packet arrived or is lost. The latter returns true when |current| went down. */
void mtu_acked(struct mtu *mtu, size_t bytes);
bool mtu_lost(struct mtu *mtu, size_t bytes, uint64_t now_ns);

#endif
