/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The sender's side of acknowledgement: what is in flight, what arrived, what is lost, when to
 * probe. RFC 9002 sections 5 and 6, with both reordering thresholds adaptive (6.1.1, 6.1.2): a
 * packet that was taken for lost and then acknowledged raises them.
 *
 * Packet numbers are given here, for all packets of a link and through all its sessions. Only
 * packets that ask for acknowledgement are remembered. A lost packet is remembered a while longer,
 * to learn whether it was only late. What the items of a packet mean is the owner's business
 * (outlane.h, link_frames.c).
 */
#ifndef LINK_LOSS_H
#define LINK_LOSS_H

#include "base/list.h"
#include "link/frame.h"
#include "link/rtt.h"

struct outframe;

enum sent_kind {
    SENT_DATA,     /* |frame|, its bytes [value, value + length) */
    SENT_ACK,      /* value: the largest number acknowledged */
    SENT_MAX_FLOW, /* value: the lane */
    SENT_MAX_PEER,
    SENT_RESET, /* value: the lane */
    SENT_END,   /* value: the lane */
    SENT_GRANT, /* value: the sequence */
    SENT_WANT   /* value: the sequence */
};

struct sent_item {
    enum sent_kind kind;
    uint32_t length;
    uint64_t value;
    struct outframe *frame;
};

struct sent_packet {
    struct list node; /* in a result list, else on its own */
    uint64_t number;
    uint64_t sent_ns;
    uint32_t bytes;
    uint32_t charge;      /* against the peer's receive credit */
    bool is_lost;         /* taken for lost, perhaps wrongly */
    bool is_size_probe;   /* its loss says nothing about congestion (RFC 9000 section 14.4) */
    bool window_was_full; /* the congestion window held the sender back when it was sent */
    uint32_t item_count;
    struct sent_item items[];
};

struct loss {
    struct sent_packet **ring; /* of numbers base..next-1; NULL = nothing to remember */
    size_t capacity;           /* a power of two */
    uint64_t base, next;
    uint64_t largest_acked; /* UINT64_MAX before the first */
    uint64_t first_sample_ns;
    uint64_t in_flight_bytes, in_flight_charge;
    uint32_t in_flight_count;
    uint64_t last_sent_ns;
    uint64_t loss_ns; /* when the next packet is lost by time; UINT64_MAX = none */
    unsigned probe_count;
    uint32_t packet_threshold;
    uint32_t time_threshold_eighths;
};

void loss_init(struct loss *loss);
/* After loss_init(): goes on with number |next|. */
void loss_resume(struct loss *loss, uint64_t next);
/* All packets must have been taken out by loss_take(). */
void loss_fini(struct loss *loss);
/* Makes room to remember one more number. 0 or -1 without memory. */
int loss_reserve(struct loss *loss);
static inline uint64_t loss_next_number(const struct loss *loss)
{
    return loss->next;
}
/* After loss_reserve(): the packet with the next number was sent; |packet| NULL when it asks for no
 * acknowledgement. Takes the packet over. */
void loss_sent(struct loss *loss, struct sent_packet *packet);
/* Moves the packets that |ack| names to |acked|, for the caller to handle and free; those with
 * is_lost set were counted as lost before. |ack| names no number that was not sent. Samples
 * |rtt|. */
void loss_acknowledge(struct loss *loss, const struct frame_ack *ack, struct rtt *rtt,
                      uint64_t now_ns, struct list *acked);
/* Finds what is lost by now. Links the packets to |lost|; they stay in the ring. Returns true when
 * they amount to persistent congestion (RFC 9002 section 7.6). */
bool loss_detect(struct loss *loss, const struct rtt *rtt, uint64_t now_ns, struct list *lost);
/* Takes out the oldest packet: of lost ones only, and sent before |before_ns|; or any (|all|). NULL
 * when there is none. The caller frees it. */
struct sent_packet *loss_take(struct loss *loss, uint64_t before_ns, bool all);
/* When loss_detect() or a probe is due. */
uint64_t loss_deadline_ns(const struct loss *loss, const struct rtt *rtt, uint64_t interval_max_ns);
/* The oldest packet in flight, or NULL. */
struct sent_packet *loss_oldest(const struct loss *loss);

#endif
