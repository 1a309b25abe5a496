/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flows of both directions, and what becomes of what a packet carried: see link.h.
 *
 * A flow's state lives from its first frame until it was idle for LINK_FLOW_IDLE_NS and the sender
 * said FLOW_END: the sender forgets it when that is acknowledged, the receiver when it comes. Ids
 * rise and are never used again, so that a late repetition of an old flow is known for what it is.
 * The next frame between the same two tasks opens a new flow.
 */
#include "link/link.h"

#include "base/mem.h"

/* ---- sending ---- */

static void outflow_free(struct outflow *flow)
{
    list_remove(&flow->acked_event.node);
    list_remove(&flow->reset_event.node);
    mem_free(flow);
}

static void outflow_leave_pair(struct outflow *flow)
{
    struct map *pairs = &flow->link->live->outflow_pairs;
    if (map_get2(pairs, flow->lane.source, flow->lane.destination) == flow)
        map_remove2(pairs, flow->lane.source, flow->lane.destination);
}

/* The flow is over; queued events may keep its memory until they are taken. */
static void outflow_destroy(struct outflow *flow)
{
    outflow_leave_pair(flow);
    map_remove(&flow->link->live->outflows, flow->lane.id);
    list_remove(&flow->active);
    list_remove(&flow->idle);
    list_remove(&flow->ending);
    flow->link->mesh->counters.flows--;
    flow->is_dead = true;
    outflow_event_done(flow);
}

void outflow_event_done(struct outflow *flow)
{
    if (flow->is_dead && list_is_empty(&flow->acked_event.node) &&
        list_is_empty(&flow->reset_event.node))
        outflow_free(flow);
}

static struct outflow *outflow_create(struct link *link, uint32_t source, uint32_t destination)
{
    struct live *live = link->live;
    if (live->outflows.count >= LINK_FLOWS_MAX)
        return NULL;
    struct outflow *flow = mem_calloc(1, sizeof(*flow));
    if (!flow)
        return NULL;
    outlane_init(&flow->lane, live->next_flow_id, source, destination, MESH_FLOW_WINDOW_BYTES);
    flow->link = link;
    list_init(&flow->active);
    list_init(&flow->idle);
    list_init(&flow->ending);
    event_init(&flow->acked_event, MESH_FLOW_ACKED, link, flow);
    event_init(&flow->reset_event, MESH_FLOW_RESET, link, flow);
    flow->acked_event.source = flow->reset_event.source = source;
    flow->acked_event.destination = flow->reset_event.destination = destination;
    if (map_put(&live->outflows, flow->lane.id, flow) < 0) {
        mem_free(flow);
        return NULL;
    }
    if (map_put2(&live->outflow_pairs, source, destination, flow) < 0) {
        map_remove(&live->outflows, flow->lane.id);
        mem_free(flow);
        return NULL;
    }
    live->next_flow_id++;
    link->mesh->counters.flows++;
    return flow;
}

void outflow_wake(struct outflow *flow)
{
    if (list_is_empty(&flow->active) && !list_is_empty(&flow->lane.pending))
        list_push_back(&flow->link->live->active, &flow->active);
    link_wake(flow->link);
}

static void outflow_rest_if_idle(struct outflow *flow, uint64_t now_ns)
{
    if (flow->lane.unacked_bytes || flow->is_ended)
        return;
    flow->idle_since_ns = now_ns;
    list_remove(&flow->idle);
    list_push_back(&flow->link->live->idle, &flow->idle);
}

int link_flows_write(struct link *link, uint32_t source, uint32_t destination, const void *head,
                     size_t head_length, struct slice body)
{
    struct outflow *flow = map_get2(&link->live->outflow_pairs, source, destination);
    if (!flow)
        flow = outflow_create(link, source, destination);
    if (!flow || outlane_write(&flow->lane, head, head_length, body) < 0)
        return -1; /* a flow without a frame does no harm and is used by the next write */
    link_out(link, head_length + body.length, 0);
    list_remove(&flow->idle);
    outflow_wake(flow);
    return 0;
}

void link_flow_limit(struct link *link, uint64_t lane, uint64_t limit)
{
    struct live *live = link->live;
    if (lane == 0) {
        live->control.limit = MAX_OF(live->control.limit, limit);
        return;
    }
    struct outflow *flow = map_get(&live->outflows, lane);
    if (!flow || limit <= flow->lane.limit)
        return;
    flow->lane.limit = limit;
    outflow_wake(flow);
}

void link_flow_was_reset(struct link *link, uint64_t lane)
{
    struct outflow *flow = map_get(&link->live->outflows, lane);
    if (!flow || flow->is_ended)
        return;
    link_out(link, 0, flow->lane.unacked_bytes);
    outlane_discard(&flow->lane);
    outflow_leave_pair(flow);
    list_remove(&flow->active);
    list_remove(&flow->idle);
    flow->is_ended = true;
    list_push_back(&link->live->ending, &flow->ending);
    event_queue(&flow->reset_event);
}

void link_flows_retire(struct link *link, unsigned most, uint64_t now_ns)
{
    unsigned left = most;
    LIST_EACH(node, next, &link->live->idle)
    {
        struct outflow *flow = LIST_ENTRY(node, struct outflow, idle);
        if (left-- == 0 || now_ns - flow->idle_since_ns < LINK_FLOW_IDLE_NS)
            return;
        /* The peer must have said that all was consumed: else a new flow between the same two tasks
         * would start with more credit than is free. */
        if (flow->lane.limit != flow->lane.end + MESH_FLOW_WINDOW_BYTES) {
            list_remove(node);
            list_push_back(&link->live->idle, node);
            continue;
        }
        list_remove(node);
        outflow_leave_pair(flow);
        flow->is_ended = true;
        list_push_back(&link->live->ending, &flow->ending);
    }
}

/* ---- receiving ---- */

static void inflow_destroy(struct link *link, struct inflow *flow)
{
    struct live *live = link->live;
    if (map_get2(&live->inflow_pairs, flow->lane.source, flow->lane.destination) == flow)
        map_remove2(&live->inflow_pairs, flow->lane.source, flow->lane.destination);
    map_remove(&live->inflows, flow->lane.id);
    list_remove(&flow->notice);
    link_hold(link, 0, flow->lane.held_bytes);
    inlane_discard(&flow->lane);
    link->mesh->counters.flows--;
    mem_free(flow);
}

static struct inflow *inflow_create(struct link *link, const struct frame_data *data)
{
    struct live *live = link->live;
    if (live->inflows.count >= LINK_FLOWS_MAX)
        return NULL;
    struct inflow *flow = mem_calloc(1, sizeof(*flow));
    if (!flow)
        return NULL;
    inlane_init(&flow->lane, data->lane, data->source, data->destination, MESH_FLOW_WINDOW_BYTES);
    list_init(&flow->notice);
    if (map_put(&live->inflows, data->lane, flow) < 0) {
        mem_free(flow);
        return NULL;
    }
    if (map_put2(&live->inflow_pairs, data->source, data->destination, flow) < 0) {
        map_remove(&live->inflows, data->lane);
        mem_free(flow);
        return NULL;
    }
    link->mesh->counters.flows++;
    return flow;
}

static bool inflow_is_ended(const struct live *live, uint64_t lane)
{
    return ranges_contains(&live->inflows_ended, lane, lane + 1);
}

/* Credit of the whole peer is told in steps of a quarter. */
static void link_peer_consumed(struct link *link, uint64_t bytes)
{
    struct live *live = link->live;
    live->in_consumed += bytes;
    if (live->in_consumed + MESH_PEER_WINDOW_BYTES - live->in_limit >= MESH_PEER_WINDOW_BYTES / 4) {
        live->peer_notice = true;
        link_wake(link);
    }
}

/* Nobody will read it: what comes is consumed as it comes. */
static void inflow_swallow(struct link *link, struct inflow *flow, uint64_t end)
{
    if (end <= flow->lane.highest)
        return;
    link->live->in_started += end - flow->lane.highest;
    link_peer_consumed(link, end - flow->lane.highest);
    flow->lane.highest = end;
}

bool link_flow_data_check(struct link *link, const struct frame_data *data)
{
    struct live *live = link->live;
    if (data->lane == 0)
        return inlane_check(&live->control_in, data, CONTROL_UNIT_BYTES_MAX) == INLANE_TAKEN;
    if (data->length > MESH_FRAME_BYTES_MAX)
        return false;
    if (inflow_is_ended(live, data->lane))
        return true;
    struct inflow *flow = map_get(&live->inflows, data->lane);
    uint64_t end = data->start + data->length;
    uint64_t highest = flow ? flow->lane.highest : 0;
    if (end > highest && end - highest > live->in_limit - live->in_started)
        return false;
    if (!flow)
        return data->opens && end <= MESH_FLOW_WINDOW_BYTES;
    return flow->is_reset || inlane_check(&flow->lane, data, MESH_FRAME_BYTES_MAX) == INLANE_TAKEN;
}

static void inframe_deliver(struct link *link, struct inframe *frame, enum mesh_event_kind kind,
                            const struct inlane *lane)
{
    event_init(&frame->event, kind, link, frame);
    frame->event.source = lane->source;
    frame->event.destination = lane->destination;
    event_queue(&frame->event);
}

/* A part for the control lane or a flow's; complete units become events. */
static int lane_take(struct link *link, struct inlane *lane, const struct frame_data *data)
{
    bool is_control = lane->id == 0;
    uint64_t held_bytes = lane->held_bytes, highest = lane->highest;
    enum inlane_result result = inlane_take(
        lane, data, is_control ? CONTROL_UNIT_BYTES_MAX : MESH_FRAME_BYTES_MAX);
    if (result == INLANE_NO_MEMORY)
        return -1;
    if (result == INLANE_BAD) /* it contradicts an earlier frame of the same packet */
        link->mesh->counters.dropped_malformed++;
    link_hold(link, lane->held_bytes - held_bytes, 0);
    if (!is_control)
        link->live->in_started += lane->highest - highest;
    struct inframe *frame;
    while ((frame = inlane_next(lane)))
        inframe_deliver(link, frame, is_control ? MESH_CONTROL : MESH_FLOW_FRAME, lane);
    return 0;
}

int link_flow_data_take(struct link *link, const struct frame_data *data)
{
    struct live *live = link->live;
    if (data->lane == 0)
        return lane_take(link, &live->control_in, data);
    if (inflow_is_ended(live, data->lane))
        return 0;
    struct inflow *flow = map_get(&live->inflows, data->lane);
    if (!flow)
        flow = inflow_create(link, data);
    if (!flow)
        return -1;
    /* Checked again: several frames of one packet may share the last of the credit. */
    uint64_t end = data->start + data->length;
    if (end > flow->lane.highest && end - flow->lane.highest > live->in_limit - live->in_started) {
        link->mesh->counters.dropped_malformed++;
        return 0;
    }
    if (flow->is_reset) {
        inflow_swallow(link, flow, end);
        return 0;
    }
    return lane_take(link, &flow->lane, data);
}

int link_flow_end(struct link *link, uint64_t lane, uint64_t end)
{
    struct live *live = link->live;
    struct inflow *flow = map_get(&live->inflows, lane);
    if (inflow_is_ended(live, lane))
        return 0;
    if (!flow) { /* a flow that was reset and whose first frames never came */
        link->mesh->counters.dropped_malformed += end != 0;
        return 0;
    }
    if (flow->is_reset ? end < flow->lane.highest ||
                             end - flow->lane.highest > live->in_limit - live->in_started
                       : end != flow->lane.delivered) {
        link->mesh->counters.dropped_malformed++;
        return 0;
    }
    if (ranges_add(&live->inflows_ended, lane, lane + 1) < 0)
        return -1;
    if (flow->is_reset)
        inflow_swallow(link, flow, end);
    else
        link_peer_consumed(link, flow->lane.delivered - flow->lane.consumed);
    link_hold(link, 0, flow->lane.delivered - flow->lane.consumed);
    inflow_destroy(link, flow);
    return 0;
}

/* A quarter of the window is worth a packet; the last of it goes with the next one. */
static void inflow_notice(struct link *link, struct inflow *flow)
{
    struct live *live = link->live;
    uint64_t behind = flow->lane.consumed + flow->lane.window_bytes - flow->lane.limit;
    if (behind >= flow->lane.window_bytes / 4) {
        list_remove(&flow->notice);
        list_push_back(&live->notices, &flow->notice);
        link_wake(link);
    } else if (flow->lane.consumed == flow->lane.highest && list_is_empty(&flow->notice)) {
        list_push_back(&live->lazy_notices, &flow->notice);
        live->is_tidy = false;
        link_wake(link);
    }
}

void link_flows_consume(struct link *link, uint32_t source, uint32_t destination, uint64_t bytes)
{
    struct inflow *flow = map_get2(&link->live->inflow_pairs, source, destination);
    if (!flow)
        return;
    bytes = MIN_OF(bytes, flow->lane.delivered - flow->lane.consumed);
    flow->lane.consumed += bytes;
    link_hold(link, 0, bytes);
    link_peer_consumed(link, bytes);
    inflow_notice(link, flow);
}

void link_control_consumed(struct link *link, uint64_t bytes)
{
    struct inlane *lane = &link->live->control_in;
    lane->consumed += bytes;
    link_hold(link, 0, bytes);
    if (lane->consumed + lane->window_bytes - lane->limit >= lane->window_bytes / 4) {
        link->live->control_notice = true;
        link_wake(link);
    }
}

void link_flows_reset(struct link *link, uint32_t source, uint32_t destination)
{
    struct live *live = link->live;
    struct inflow *flow = map_get2(&live->inflow_pairs, source, destination);
    if (!flow)
        return;
    map_remove2(&live->inflow_pairs, source, destination);
    flow->is_reset = true;
    link_hold(link, 0, flow->lane.held_bytes + (flow->lane.delivered - flow->lane.consumed));
    inlane_discard(&flow->lane);
    link_peer_consumed(link, flow->lane.highest - flow->lane.consumed);
    flow->lane.consumed = flow->lane.delivered = flow->lane.highest;
    list_remove(&flow->notice);
    list_push_back(&live->notices, &flow->notice);
    link_wake(link);
}

void link_flows_fini(struct link *link)
{
    struct live *live = link->live;
    while (live->outflows.count) {
        struct outflow *flow = live->outflows.entries[live->outflows.count - 1].value;
        outlane_discard(&flow->lane);
        list_remove(&flow->acked_event.node);
        outflow_destroy(flow);
    }
    while (live->inflows.count)
        inflow_destroy(link, live->inflows.entries[live->inflows.count - 1].value);
    map_fini(&live->outflows);
    map_fini(&live->outflow_pairs);
    map_fini(&live->inflows);
    map_fini(&live->inflow_pairs);
}

/* ---- what packets carried ---- */

void link_items_release(const struct sent_item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].kind == SENT_DATA)
            outframe_release(items[i].frame);
    }
}

void link_packet_free(struct sent_packet *packet)
{
    link_items_release(packet->items, packet->item_count);
    mem_free(packet);
}

static void lane_wake(struct link *link, struct outlane *lane)
{
    if (lane->id != 0)
        outflow_wake(CONTAINER_OF(lane, struct outflow, lane));
    else
        link_wake(link);
}

static void data_acked(struct link *link, const struct sent_item *item, uint64_t now_ns)
{
    struct outlane *lane = item->frame->lane;
    if (!lane)
        return;
    uint32_t done = outframe_acked(item->frame, item->value, item->length);
    if (done) {
        link_out(link, 0, done);
        if (lane->id != 0) {
            struct outflow *flow = CONTAINER_OF(lane, struct outflow, lane);
            flow->acked_bytes += done;
            event_queue(&flow->acked_event);
            outflow_rest_if_idle(flow, now_ns);
        }
    }
    if (!list_is_empty(&lane->pending))
        lane_wake(link, lane);
}

void link_packet_acked(struct link *link, struct sent_packet *packet, uint64_t now_ns)
{
    struct live *live = link->live;
    for (uint32_t i = 0; i < packet->item_count; i++) {
        const struct sent_item *item = &packet->items[i];
        struct outflow *flow;
        switch (item->kind) {
        case SENT_DATA:
            data_acked(link, item, now_ns);
            break;
        case SENT_ACK:
            acks_confirmed(&live->acks, item->value);
            break;
        case SENT_END:
            flow = map_get(&live->outflows, item->value);
            if (flow)
                outflow_destroy(flow);
            break;
        case SENT_GRANT:
            credit_confirmed(&link->mesh->credit, &live->share, item->value, now_ns);
            break;
        case SENT_MAX_FLOW:
        case SENT_MAX_PEER:
        case SENT_RESET:
        case SENT_WANT:
            break;
        }
    }
}

static void notice_lost(struct link *link, uint64_t lane)
{
    struct inflow *flow = map_get(&link->live->inflows, lane);
    if (!flow)
        return;
    list_remove(&flow->notice);
    list_push_back(&link->live->notices, &flow->notice);
}

void link_items_lost(struct link *link, const struct sent_item *items, uint32_t count)
{
    struct live *live = link->live;
    for (uint32_t i = count; i-- > 0;) { /* backwards: each goes before the others */
        const struct sent_item *item = &items[i];
        struct outflow *flow;
        switch (item->kind) {
        case SENT_DATA:
            if (outframe_lost(item->frame, item->value, item->length))
                lane_wake(link, item->frame->lane);
            break;
        case SENT_END:
            flow = map_get(&live->outflows, item->value);
            if (flow && list_is_empty(&flow->ending))
                list_push_back(&live->ending, &flow->ending);
            break;
        case SENT_MAX_FLOW:
            if (item->value == 0)
                live->control_notice = true;
            else
                notice_lost(link, item->value);
            break;
        case SENT_RESET:
            notice_lost(link, item->value);
            break;
        case SENT_MAX_PEER:
            live->peer_notice = true;
            break;
        case SENT_GRANT:
            live->grant_now |= item->value == live->share.sequence;
            break;
        case SENT_WANT:
            live->credit.want_now |= item->value == live->credit.want_sequence;
            break;
        case SENT_ACK:
            break;
        }
    }
    link_wake(link);
}
