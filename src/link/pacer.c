/* SPDX-License-Identifier: BSD-3-Clause */
/* Token bucket: see the header. */
#include "link/pacer.h"

#include "base/check.h"

#define TICK_NS UINT64_C(1000000)
#define REFILL_NS_MAX UINT64_C(100000000)

void pacer_init(struct pacer *pacer, uint64_t now_ns)
{
    *pacer = (struct pacer){.tokens_bytes = 16 * 1200, .updated_ns = now_ns};
}

/* Twice the window per round trip: in slow start the window itself doubles in one. */
static uint64_t pacer_bytes_in(uint64_t window_bytes, uint64_t rtt_ns, uint64_t time_ns)
{
    return 2 * window_bytes * MIN_OF(time_ns, REFILL_NS_MAX) / MAX_OF(rtt_ns, 1u);
}

uint64_t pacer_wait_ns(struct pacer *pacer, uint64_t window_bytes, uint64_t rtt_ns,
                       size_t datagram_bytes, uint64_t now_ns)
{
    uint64_t bucket = MAX_OF(pacer_bytes_in(window_bytes, rtt_ns, TICK_NS),
                             (uint64_t)10 * datagram_bytes);
    uint64_t earned = pacer_bytes_in(window_bytes, rtt_ns, now_ns - pacer->updated_ns);
    if (earned) {
        pacer->tokens_bytes = MIN_OF(pacer->tokens_bytes + earned, bucket);
        pacer->updated_ns = now_ns;
    }
    if (pacer->tokens_bytes >= datagram_bytes)
        return 0;
    uint64_t missing = datagram_bytes - pacer->tokens_bytes;
    return missing * rtt_ns / (2 * window_bytes) + 1;
}

void pacer_sent(struct pacer *pacer, size_t bytes)
{
    pacer->tokens_bytes -= MIN_OF(pacer->tokens_bytes, bytes);
}
