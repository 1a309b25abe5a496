/* SPDX-License-Identifier: BSD-3-Clause */
/* Round trip time: see the header. */
#include "link/rtt.h"

#include "base/check.h"

void rtt_init(struct rtt *rtt)
{
    *rtt = (struct rtt){.smoothed_ns = RTT_INITIAL_NS, .variation_ns = RTT_INITIAL_NS / 2};
}

void rtt_sample(struct rtt *rtt, uint64_t sample_ns, uint64_t ack_delay_ns)
{
    if (sample_ns > RTT_SAMPLE_MAX_NS)
        return;
    rtt->latest_ns = sample_ns;
    if (!rtt->has_sample) {
        rtt->has_sample = true;
        rtt->min_ns = rtt->smoothed_ns = sample_ns;
        rtt->variation_ns = sample_ns / 2;
        return;
    }
    rtt->min_ns = MIN_OF(rtt->min_ns, sample_ns);
    ack_delay_ns = MIN_OF(ack_delay_ns, RTT_ACK_DELAY_MAX_NS);
    uint64_t adjusted_ns = sample_ns;
    if (sample_ns >= rtt->min_ns + ack_delay_ns)
        adjusted_ns = sample_ns - ack_delay_ns;
    uint64_t difference_ns = rtt->smoothed_ns > adjusted_ns ? rtt->smoothed_ns - adjusted_ns
                                                            : adjusted_ns - rtt->smoothed_ns;
    rtt->variation_ns = (3 * rtt->variation_ns + difference_ns) / 4;
    rtt->smoothed_ns = (7 * rtt->smoothed_ns + adjusted_ns) / 8;
}

uint64_t rtt_probe_timeout_ns(const struct rtt *rtt)
{
    return rtt->smoothed_ns + MAX_OF(4 * rtt->variation_ns, RTT_GRANULARITY_NS) +
           RTT_ACK_DELAY_MAX_NS;
}
