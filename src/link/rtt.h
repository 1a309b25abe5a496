/* SPDX-License-Identifier: BSD-3-Clause */
/* Round trip time of a path: RFC 9002 section 5, and the probe timeout of section 6.2.1. */
#ifndef LINK_RTT_H
#define LINK_RTT_H

#include <stdbool.h>
#include <stdint.h>

#define RTT_GRANULARITY_NS UINT64_C(1000000)   /* timers of the shell are about that fine */
#define RTT_ACK_DELAY_MAX_NS UINT64_C(2000000) /* what we promise, and expect of the peer */
#define RTT_INITIAL_NS UINT64_C(50000000)
#define RTT_SAMPLE_MAX_NS UINT64_C(10000000000)

struct rtt {
    bool has_sample;
    uint64_t latest_ns;
    uint64_t smoothed_ns;
    uint64_t variation_ns;
    uint64_t min_ns;
};

void rtt_init(struct rtt *rtt);
/* What is longer than RTT_SAMPLE_MAX_NS tells that a machine slept, not how long the path is:
 * ignored. A packet came back after |sample_ns|, of which the peer says it held it for
 * |ack_delay_ns|. */
void rtt_sample(struct rtt *rtt, uint64_t sample_ns, uint64_t ack_delay_ns);
/* Probe timeout without backoff. */
uint64_t rtt_probe_timeout_ns(const struct rtt *rtt);

#endif
