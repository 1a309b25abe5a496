/* SPDX-License-Identifier: BSD-3-Clause */
/* Loss detection: see the header. */
#include "link/loss.h"

#include "base/mem.h"

enum {
    PACKET_THRESHOLD = 3, /* RFC 9002 section 6.1.1 */
    PACKET_THRESHOLD_MAX = 128,
    TIME_THRESHOLD_EIGHTHS = 9, /* section 6.1.2 */
    TIME_THRESHOLD_EIGHTHS_MAX = 32,
    PROBE_BACKOFF_MAX = 16,
    PERSISTENT_CONGESTION = 3 /* section 7.6.1 */
};

void loss_init(struct loss *loss)
{
    *loss = (struct loss){.largest_acked = UINT64_MAX,
                          .loss_ns = UINT64_MAX,
                          .packet_threshold = PACKET_THRESHOLD,
                          .time_threshold_eighths = TIME_THRESHOLD_EIGHTHS};
}

void loss_resume(struct loss *loss, uint64_t next)
{
    loss->base = loss->next = next;
}

void loss_fini(struct loss *loss)
{
    CHECK(loss->in_flight_count == 0);
    mem_free(loss->ring);
    loss_init(loss);
}

static struct sent_packet **loss_slot(const struct loss *loss, uint64_t number)
{
    return &loss->ring[number & (loss->capacity - 1)];
}

int loss_reserve(struct loss *loss)
{
    if (loss->next - loss->base < loss->capacity)
        return 0;
    struct loss grown = *loss;
    grown.capacity = loss->capacity ? loss->capacity * 2 : 16;
    grown.ring = mem_calloc(grown.capacity, sizeof(grown.ring[0]));
    if (!grown.ring)
        return -1;
    for (uint64_t number = loss->base; number < loss->next; number++)
        *loss_slot(&grown, number) = *loss_slot(loss, number);
    mem_free(loss->ring);
    *loss = grown;
    return 0;
}

static void loss_trim(struct loss *loss)
{
    while (loss->base < loss->next && !*loss_slot(loss, loss->base))
        loss->base++;
}

void loss_sent(struct loss *loss, struct sent_packet *packet)
{
    CHECK(loss->next - loss->base < loss->capacity);
    *loss_slot(loss, loss->next) = packet;
    if (packet) {
        packet->number = loss->next;
        list_init(&packet->node);
        loss->in_flight_bytes += packet->bytes;
        loss->in_flight_charge += packet->charge;
        loss->in_flight_count++;
        loss->last_sent_ns = packet->sent_ns;
    }
    loss->next++;
    loss_trim(loss);
}

static void loss_left_flight(struct loss *loss, const struct sent_packet *packet)
{
    loss->in_flight_bytes -= packet->bytes;
    loss->in_flight_charge -= packet->charge;
    loss->in_flight_count--;
}

/* It was late, not lost: next time wait that long. */
static void loss_learn(struct loss *loss, const struct sent_packet *packet, const struct rtt *rtt,
                       uint64_t now_ns)
{
    if (loss->largest_acked != UINT64_MAX && loss->largest_acked > packet->number) {
        uint64_t distance = loss->largest_acked - packet->number + 1;
        loss->packet_threshold = (uint32_t)MIN_OF(MAX_OF(distance, loss->packet_threshold),
                                                  (uint64_t)PACKET_THRESHOLD_MAX);
    }
    uint64_t base_ns = MAX_OF(rtt->smoothed_ns, RTT_GRANULARITY_NS);
    uint64_t eighths = (now_ns - packet->sent_ns) * 8 / base_ns + 1;
    eighths = MAX_OF(eighths, loss->time_threshold_eighths);
    loss->time_threshold_eighths = (uint32_t)MIN_OF(eighths, (uint64_t)TIME_THRESHOLD_EIGHTHS_MAX);
}

void loss_acknowledge(struct loss *loss, const struct frame_ack *ack, struct rtt *rtt,
                      uint64_t now_ns, struct list *acked)
{
    struct frame_ack walk = *ack;
    uint64_t first = 0, last = UINT64_MAX;
    bool any_in_flight = false;
    while (frame_ack_next(&walk, &first, &last) && last >= loss->base) {
        uint64_t stop = MAX_OF(first, loss->base);
        for (uint64_t number = MIN_OF(last, loss->next - 1) + 1; number-- > stop;) {
            struct sent_packet **slot = loss_slot(loss, number);
            struct sent_packet *packet = *slot;
            if (!packet)
                continue;
            *slot = NULL;
            if (packet->is_lost) {
                loss_learn(loss, packet, rtt, now_ns);
            } else {
                loss_left_flight(loss, packet);
                any_in_flight = true;
            }
            list_remove(&packet->node);
            list_push_back(acked, &packet->node);
            if (number == ack->largest && !packet->is_lost) {
                uint64_t delay_us = MIN_OF(ack->delay_us, (uint64_t)1000000);
                rtt_sample(rtt, now_ns - packet->sent_ns, delay_us * 1000);
                if (loss->first_sample_ns == 0)
                    loss->first_sample_ns = now_ns;
            }
        }
    }
    if (loss->largest_acked == UINT64_MAX || ack->largest > loss->largest_acked)
        loss->largest_acked = ack->largest;
    if (any_in_flight)
        loss->probe_count = 0;
    loss_trim(loss);
}

static bool loss_is_lost(const struct loss *loss, const struct sent_packet *packet,
                         uint64_t delay_ns, uint64_t now_ns)
{
    return loss->largest_acked - packet->number >= loss->packet_threshold ||
           packet->sent_ns + delay_ns <= now_ns;
}

bool loss_detect(struct loss *loss, const struct rtt *rtt, uint64_t now_ns, struct list *lost)
{
    uint64_t delay_ns = MAX_OF(rtt->smoothed_ns, rtt->latest_ns) * loss->time_threshold_eighths / 8;
    uint64_t run_start_ns = UINT64_MAX, longest_ns = 0;
    delay_ns = MAX_OF(delay_ns, RTT_GRANULARITY_NS);
    loss->loss_ns = UINT64_MAX;
    if (loss->largest_acked == UINT64_MAX || loss->in_flight_count == 0)
        return false;
    uint64_t stop = MIN_OF(loss->largest_acked, loss->next);
    for (uint64_t number = loss->base; number < stop; number++) {
        struct sent_packet *packet = *loss_slot(loss, number);
        if (!packet || (!packet->is_lost && !loss_is_lost(loss, packet, delay_ns, now_ns))) {
            if (packet)
                loss->loss_ns = MIN_OF(loss->loss_ns, packet->sent_ns + delay_ns);
            run_start_ns = UINT64_MAX;
            continue;
        }
        if (!packet->is_lost) {
            packet->is_lost = true;
            loss_left_flight(loss, packet);
            list_push_back(lost, &packet->node);
        }
        if (run_start_ns == UINT64_MAX && loss->first_sample_ns &&
            packet->sent_ns >= loss->first_sample_ns)
            run_start_ns = packet->sent_ns;
        if (run_start_ns != UINT64_MAX)
            longest_ns = MAX_OF(longest_ns, packet->sent_ns - run_start_ns);
    }
    return !list_is_empty(lost) && longest_ns >= PERSISTENT_CONGESTION * rtt_probe_timeout_ns(rtt);
}

struct sent_packet *loss_take(struct loss *loss, uint64_t before_ns, bool all)
{
    loss_trim(loss);
    if (loss->base == loss->next)
        return NULL;
    struct sent_packet **slot = loss_slot(loss, loss->base);
    struct sent_packet *packet = *slot;
    if (!all && (!packet->is_lost || packet->sent_ns >= before_ns))
        return NULL;
    *slot = NULL;
    if (!packet->is_lost)
        loss_left_flight(loss, packet);
    list_remove(&packet->node);
    return packet;
}

uint64_t loss_deadline_ns(const struct loss *loss, const struct rtt *rtt, uint64_t interval_max_ns)
{
    if (loss->in_flight_count == 0)
        return UINT64_MAX;
    if (loss->loss_ns != UINT64_MAX)
        return loss->loss_ns;
    unsigned backoff = MIN_OF(loss->probe_count, (unsigned)PROBE_BACKOFF_MAX);
    uint64_t interval_ns = rtt_probe_timeout_ns(rtt) << backoff;
    return loss->last_sent_ns + MIN_OF(interval_ns, interval_max_ns);
}

struct sent_packet *loss_oldest(const struct loss *loss)
{
    for (uint64_t number = loss->base; number < loss->next; number++) {
        struct sent_packet *packet = *loss_slot(loss, number);
        if (packet && !packet->is_lost)
            return packet;
    }
    return NULL;
}
