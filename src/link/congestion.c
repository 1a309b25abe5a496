/* SPDX-License-Identifier: BSD-3-Clause */
/* NewReno: see the header. */
#include "link/congestion.h"

#include "base/check.h"

enum { WINDOW_START_BYTES = 65536 };
#define WINDOW_BYTES_MAX ((uint64_t)1 << 30)

static uint64_t congestion_minimum(const struct congestion *congestion)
{
    return 2 * congestion->datagram_bytes;
}

/* RFC 9002 section 7.2 says 10 datagrams; ours may be large, and two of those are always
 * allowed. */
void congestion_init(struct congestion *congestion, size_t datagram_bytes)
{
    *congestion = (struct congestion){.slow_start_below_bytes = UINT64_MAX,
                                      .datagram_bytes = datagram_bytes};
    uint64_t ten = 10 * (uint64_t)datagram_bytes;
    congestion->window_bytes = MIN_OF(ten,
                                      MAX_OF(WINDOW_START_BYTES, congestion_minimum(congestion)));
}

void congestion_set_datagram(struct congestion *congestion, size_t datagram_bytes)
{
    congestion->datagram_bytes = datagram_bytes;
    congestion->window_bytes = MAX_OF(congestion->window_bytes, congestion_minimum(congestion));
}

void congestion_acked(struct congestion *congestion, size_t bytes, uint64_t sent_ns, bool limited)
{
    if (congestion->in_recovery) {
        if (sent_ns <= congestion->recovery_start_ns)
            return;
        congestion->in_recovery = false;
    }
    if (!limited || congestion->window_bytes >= WINDOW_BYTES_MAX)
        return;
    if (congestion->window_bytes < congestion->slow_start_below_bytes)
        congestion->window_bytes += bytes;
    else
        congestion->window_bytes += (uint64_t)congestion->datagram_bytes * bytes /
                                    congestion->window_bytes;
}

void congestion_lost(struct congestion *congestion, uint64_t sent_ns, uint64_t now_ns)
{
    if (congestion->recovery_start_ns && sent_ns <= congestion->recovery_start_ns) {
        congestion->recovery_lost++;
        return;
    }
    congestion->before_window_bytes = congestion->window_bytes;
    congestion->before_slow_start_below_bytes = congestion->slow_start_below_bytes;
    congestion->recovery_lost = 1;
    congestion->recovery_spurious = 0;
    congestion->in_recovery = true;
    congestion->recovery_start_ns = now_ns;
    congestion->window_bytes = MAX_OF(congestion->window_bytes / 2, congestion_minimum(congestion));
    congestion->slow_start_below_bytes = congestion->window_bytes;
}

void congestion_spurious(struct congestion *congestion, uint64_t sent_ns)
{
    if (sent_ns > congestion->recovery_start_ns || congestion->recovery_lost == 0)
        return;
    if (++congestion->recovery_spurious < congestion->recovery_lost)
        return;
    congestion->window_bytes = MAX_OF(congestion->window_bytes, congestion->before_window_bytes);
    congestion->slow_start_below_bytes = congestion->before_slow_start_below_bytes;
    congestion->in_recovery = false;
    congestion->recovery_lost = 0;
}

void congestion_moved(struct congestion *congestion, uint64_t now_ns)
{
    congestion->recovery_start_ns = now_ns;
    congestion->before_window_bytes = congestion->window_bytes;
    congestion->before_slow_start_below_bytes = congestion->slow_start_below_bytes;
}

void congestion_collapse(struct congestion *congestion)
{
    congestion->window_bytes = congestion_minimum(congestion);
    congestion->in_recovery = false;
    congestion->recovery_lost = 0;
}
