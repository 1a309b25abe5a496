/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much may be in flight on a path: NewReno as RFC 9002 section 7 has it, in bytes.
 *
 * One addition: when every packet whose loss caused a reduction turns out to have been only late,
 * the reduction is undone (RFC 9002 section 7.4 allows it; the idea is RFC 3522 and 4015).
 */
#ifndef LINK_CONGESTION_H
#define LINK_CONGESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct congestion {
    uint64_t window_bytes;
    uint64_t slow_start_below_bytes; /* UINT64_MAX before the first loss */
    size_t datagram_bytes;           /* what the path carries: the unit of growth */
    bool in_recovery;
    uint64_t recovery_start_ns;
    /* To undo the newest reduction. */
    uint64_t before_window_bytes, before_slow_start_below_bytes;
    uint32_t recovery_lost, recovery_spurious;
};

void congestion_init(struct congestion *congestion, size_t datagram_bytes);
void congestion_set_datagram(struct congestion *congestion, size_t datagram_bytes);
/* |bytes| sent at |sent_ns| arrived. |limited|: the window was what held the sender back; else
 * it does not grow (section 7.8). */
void congestion_acked(struct congestion *congestion, size_t bytes, uint64_t sent_ns, bool limited);
/* A packet sent at |sent_ns| is lost. */
void congestion_lost(struct congestion *congestion, uint64_t sent_ns, uint64_t now_ns);
/* A packet counted as lost arrived after all. */
void congestion_spurious(struct congestion *congestion, uint64_t sent_ns);
/* What was sent before |now_ns| went another way: its loss says nothing about this path (RFC 9000
 * section 9.4). After congestion_init(). */
void congestion_moved(struct congestion *congestion, uint64_t now_ns);
/* Section 7.6: nothing got through for long. */
void congestion_collapse(struct congestion *congestion);

#endif
