/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sealed packet comes in: opened, checked as a whole, then applied: see link.h.
 *
 * Nothing has an effect before everything was found in order. A packet for whose content there is
 * no memory is not recorded as received, so that its content comes again; what of it was applied
 * before may safely be applied twice.
 */
#include "link/link.h"

#include "base/mem.h"

#include <string.h>

/* Opened packets: used within one call, so one for each thread is enough. */
static _Thread_local uint8_t opened[MESH_DATAGRAM_BYTES_MAX];

static struct session *link_session(const struct link *link, uint32_t index)
{
    const struct live *live = link->live;
    if (live->current && live->current->local_index == index)
        return live->current;
    if (live->answering && live->answering->session->local_index == index)
        return live->answering->session;
    if (live->previous && live->previous->local_index == index)
        return live->previous;
    return NULL;
}

/* What a packet is, all in all. */
struct received {
    uint64_t number;
    bool asks, is_probing, goodbye;
};

/* ---- checking ---- */

static bool frame_is_fine(struct link *link, const struct frame *frame)
{
    struct live *live = link->live;
    switch (frame->type) {
    case FRAME_ACK:
        return frame->ack.largest < loss_next_number(&live->loss);
    case FRAME_CONTROL:
    case FRAME_CONTROL_PART:
    case FRAME_FLOW:
    case FRAME_FLOW_OPEN:
    case FRAME_FLOW_PART:
    case FRAME_FLOW_OPEN_PART:
        return link_flow_data_check(link, &frame->data);
    case FRAME_PADDING:
    case FRAME_PING:
    case FRAME_GOODBYE:
    case FRAME_PATH_CHALLENGE:
    case FRAME_PATH_RESPONSE:
    case FRAME_GRANT:
    case FRAME_WANT:
    case FRAME_MAX_FLOW:
    case FRAME_MAX_PEER:
    case FRAME_FLOW_RESET:
    case FRAME_FLOW_END:
    case FRAME_RELAY:
    case FRAME_RELAYED:
        return true;
    case FRAME_NOTE:
        return frame->note.length <= MESH_NOTE_BYTES_MAX;
    case FRAME_TOMBSTONE: /* only in a packet of its own: link_receive_tombstone() */
        return false;
    }
    return false;
}

/* Only about paths: it does not tell where the peer is (RFC 9000 section 9.1). */
static bool frame_is_probing(enum frame_type type)
{
    return type == FRAME_PADDING || type == FRAME_PATH_CHALLENGE || type == FRAME_PATH_RESPONSE;
}

static bool frames_are_fine(struct link *link, const uint8_t *payload, size_t length,
                            struct received *received)
{
    struct rd rd = rd_init(payload, length);
    struct frame frame;
    received->is_probing = true;
    while (frame_decode(&rd, &frame)) {
        if (!frame_is_fine(link, &frame))
            return false;
        received->asks |= frame_asks_for_ack(frame.type);
        received->is_probing &= frame_is_probing(frame.type);
        received->goodbye |= frame.type == FRAME_GOODBYE;
    }
    return rd_ok(&rd) && length > 0;
}

/* ---- applying ---- */

static void link_lost(struct link *link, struct sent_packet *packet, uint64_t now_ns)
{
    struct live *live = link->live;
    link->mesh->counters.packets_lost++;
    link_items_lost(link, packet->items, packet->item_count);
    if (packet->is_size_probe) {
        mtu_probe_lost(&live->mtu, now_ns);
        return;
    }
    congestion_lost(&live->congestion, packet->sent_ns, now_ns);
    if (mtu_lost(&live->mtu, packet->bytes, now_ns)) {
        congestion_set_datagram(&live->congestion, live->mtu.current);
        log_line(link->mesh->config.log, LOG_LEVEL_INFO,
                 "link %llx: large packets vanish, back to %zu bytes",
                 (unsigned long long)link->peer, live->mtu.current);
    }
}

void link_detect_losses(struct link *link, uint64_t now_ns)
{
    struct live *live = link->live;
    struct list lost;
    list_init(&lost);
    bool collapse = loss_detect(&live->loss, &live->rtt, now_ns, &lost);
    /* From the newest to the oldest, so that the oldest data come to stand first. */
    while (!list_is_empty(&lost)) {
        struct sent_packet *packet = LIST_ENTRY(lost.prev, struct sent_packet, node);
        list_remove(&packet->node);
        link_lost(link, packet, now_ns);
    }
    if (collapse)
        congestion_collapse(&live->congestion);
}

static void link_arrived(struct link *link, const struct sent_packet *packet)
{
    struct live *live = link->live;
    if (packet->is_lost) {
        link->mesh->counters.packets_lost_spurious++;
        if (!packet->is_size_probe)
            congestion_spurious(&live->congestion, packet->sent_ns);
    }
    if (packet->is_size_probe) {
        mtu_probe_acked(&live->mtu, packet->bytes);
        congestion_set_datagram(&live->congestion, live->mtu.current);
        return;
    }
    mtu_acked(&live->mtu, packet->bytes);
    if (!packet->is_lost)
        congestion_acked(&live->congestion, packet->bytes, packet->sent_ns,
                         packet->window_was_full);
}

static void link_take_ack(struct link *link, const struct frame_ack *ack, uint64_t now_ns)
{
    struct live *live = link->live;
    struct list acked;
    struct sent_packet *old;
    list_init(&acked);
    loss_acknowledge(&live->loss, ack, &live->rtt, now_ns, &acked);
    LIST_EACH(node, next, &acked)
    {
        struct sent_packet *packet = LIST_ENTRY(node, struct sent_packet, node);
        list_remove(node);
        link_arrived(link, packet);
        link_packet_acked(link, packet, now_ns);
        link_packet_free(packet);
    }
    link_detect_losses(link, now_ns);
    /* Whatever was late has come by now. */
    uint64_t memory_ns = 3 * rtt_probe_timeout_ns(&live->rtt);
    while (now_ns > memory_ns && (old = loss_take(&live->loss, now_ns - memory_ns, false)))
        link_packet_free(old);
}

static void link_take_grant(struct link *link, uint64_t sequence, uint64_t limit)
{
    struct link_credit *credit = &link->live->credit;
    if (sequence <= credit->sequence)
        return;
    credit->sequence = sequence;
    if (limit < credit->limit)
        credit->want_told = 0; /* taken back: who still needs it asks anew */
    credit->has_more = limit > credit->limit;
    credit->limit = MAX_OF(limit, (uint64_t)CREDIT_FLOOR);
}

/* Without memory it is lost: it would not come again if we said so. */
static void link_take_note(struct link *link, const uint8_t *bytes, size_t length)
{
    struct inframe *frame = mem_calloc(1, sizeof(*frame));
    if (!frame)
        return;
    frame->buf = buf_create(length);
    if (!frame->buf) {
        mem_free(frame);
        return;
    }
    list_init(&frame->node);
    ranges_init(&frame->received);
    frame->length = (uint32_t)length;
    memcpy(frame->buf->data, bytes, length);
    event_init(&frame->event, MESH_NOTE, link, frame);
    event_queue(&frame->event);
}

static int frame_take(struct link *link, const struct frame *frame, const struct mesh_address *from,
                      uint64_t now_ns)
{
    struct live *live = link->live;
    switch (frame->type) {
    case FRAME_PADDING:
    case FRAME_PING:
    case FRAME_GOODBYE: /* link_receive() */
    case FRAME_TOMBSTONE:
        break;
    case FRAME_NOTE:
        link_take_note(link, frame->note.bytes, (size_t)frame->note.length);
        break;
    case FRAME_ACK:
        link_take_ack(link, &frame->ack, now_ns);
        break;
    case FRAME_PATH_CHALLENGE:
        live->respond_now = true;
        live->respond_to = *from;
        memcpy(live->respond_token, frame->token, sizeof(live->respond_token));
        break;
    case FRAME_PATH_RESPONSE:
        link_path_proved(link, frame->token, now_ns);
        break;
    case FRAME_RELAY:
    case FRAME_RELAYED:
        link_take_relay(link, frame->type, &frame->relay, from, now_ns);
        break;
    case FRAME_GRANT:
        link_take_grant(link, frame->credit.sequence, frame->credit.amount);
        break;
    case FRAME_WANT:
        credit_want(&link->mesh->credit, &live->share, frame->credit.amount, now_ns);
        credit_run(&link->mesh->credit, now_ns);
        break;
    case FRAME_MAX_FLOW:
        link_flow_limit(link, frame->flow.lane, frame->flow.value);
        break;
    case FRAME_MAX_PEER:
        live->peer_credit.limit = MAX_OF(live->peer_credit.limit, frame->flow.value);
        break;
    case FRAME_FLOW_RESET:
        link_flow_was_reset(link, frame->flow.lane);
        break;
    case FRAME_FLOW_END:
        return link_flow_end(link, frame->flow.lane, frame->flow.value);
    case FRAME_CONTROL:
    case FRAME_CONTROL_PART:
    case FRAME_FLOW:
    case FRAME_FLOW_OPEN:
    case FRAME_FLOW_PART:
    case FRAME_FLOW_OPEN_PART:
        return link_flow_data_take(link, &frame->data);
    }
    return 0;
}

/* -1 without memory. */
static int link_take_frames(struct link *link, const uint8_t *payload, size_t length,
                            const struct mesh_address *from, uint64_t now_ns)
{
    struct rd rd = rd_init(payload, length);
    struct frame frame;
    while (frame_decode(&rd, &frame)) {
        if (frame_take(link, &frame, from, now_ns) < 0)
            return -1;
    }
    return 0;
}

/* The packet is genuine and was taken. */
static void link_was_heard(struct link *link, const struct session *session,
                           const struct mesh_address *from, const struct received *received,
                           uint64_t now_ns)
{
    struct live *live = link->live;
    bool is_newest = received->number >= live->replay.next;
    replay_record(&live->replay, received->number);
    live->received_ns = now_ns;
    live->is_tidy = false;
    live->asking_ns = live->loss.in_flight_count ? MAX_OF(now_ns, (uint64_t)1) : 0;
    link_input(link, LINK_LIFE, NULL);
    if (session == live->current && live->previous && live->previous_until_ns == UINT64_MAX)
        live->previous_until_ns = now_ns + link_previous_ns(live);
    /* RFC 9000 section 9.3: only the newest packet tells where the peer is. */
    if (is_newest && !received->is_probing)
        link_follow_path(link, from, now_ns);
    link_wake(link);
}

static void link_receive(struct link *link, struct session *session,
                         const struct mesh_address *from, uint64_t number, const uint8_t *payload,
                         size_t length, uint64_t now_ns)
{
    struct mesh_counters *counters = &link->mesh->counters;
    struct received received = {.number = number};
    /* A packet of the answered session is proof that the caller has our answer. */
    if (link->live->answering && session == link->live->answering->session)
        link_confirm(link, from, now_ns);
    struct live *live = link->live;
    if (!frames_are_fine(link, payload, length, &received)) {
        counters->dropped_malformed++;
        return;
    }
    if (link_take_frames(link, payload, length, from, now_ns) < 0 ||
        acks_record(&live->acks, number, received.asks, length, now_ns) < 0) {
        link_wake(link);
        return;
    }
    if (received.asks)
        credit_used(&live->share, now_ns);
    link_was_heard(link, session, from, &received, now_ns);
    if (received.goodbye) {
        link_input(link, LINK_GOODBYE, "the peer said goodbye");
        link_close(link, now_ns);
    }
}

/* Made in advance by a daemon that has died since. All its keys go, so that it counts once. */
static void link_receive_tombstone(struct link *link, const uint8_t *payload, size_t length,
                                   uint64_t now_ns)
{
    if (length != 1 || payload[0] != FRAME_TOMBSTONE) {
        link->mesh->counters.dropped_malformed++;
        return;
    }
    link_input(link, LINK_DEATH, "its daemon has died");
    link_close(link, now_ns);
}

void mesh_receive_sealed(struct mesh *mesh, const struct mesh_address *from, const uint8_t *packet,
                         size_t length, uint64_t now_ns)
{
    struct mesh_counters *counters = &mesh->counters;
    struct rd rd = rd_init(packet, length);
    const uint8_t *payload;
    (void)rd_u8(&rd);
    uint32_t index = rd_u32(&rd);
    uint64_t number = rd_u64(&rd);
    if (!rd_ok(&rd) || length > sizeof(opened) || number >= PACKET_NUMBER_END) {
        counters->dropped_malformed++;
        return;
    }
    struct link *link = map_get(&mesh->sessions, index);
    struct session *session = link && link->live ? link_session(link, index) : NULL;
    if (!session) {
        counters->dropped_unknown++;
        return;
    }
    if (number != PACKET_NUMBER_TOMBSTONE && replay_was_seen(&link->live->replay, number)) {
        counters->dropped_replayed++;
        return;
    }
    size_t payload_length = session_open(session, number, packet, length, opened, &payload);
    if (payload_length == SIZE_MAX) {
        counters->dropped_unsealed++;
        return;
    }
    if (number == PACKET_NUMBER_TOMBSTONE)
        link_receive_tombstone(link, payload, payload_length, now_ns);
    else
        link_receive(link, session, from, number, payload, payload_length, now_ns);
}
