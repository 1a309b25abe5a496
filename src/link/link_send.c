/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet goes out: what is most urgent first, as much as the windows allow: see link.h.
 *
 * Three windows: congestion (the path), credit (the peer's receive buffer), and per lane (the
 * peer's memory; outlane.h). An acknowledgement alone is under none of them; a probe after a
 * timeout is under none of the first two. Order in a packet: ACK, credit for the peer, control,
 * flows in turn.
 */
#include "link/link.h"

#include "base/mem.h"

#include <string.h>

enum {
    ITEMS_MAX = 512,
    FLOW_QUANTUM_BYTES = 16384,
    NOTE_OVERHEAD_BYTES_MAX = 1 + 2,
    NOTICE_BYTES_MAX = 1 + 8 + 8, /* any frame of two integers */
    SEND_SLACK_BYTES = 256,       /* headers and notices besides the data */
    RANGES_FOR_PING = 16,
    RETIRE_PER_PACKET = 8
};

static _Thread_local struct sent_item item_space[ITEMS_MAX];

struct build {
    struct wr wr;
    struct sent_items items;
    bool asks;
    bool is_size_probe;
};

static size_t build_left(const struct build *build)
{
    return build->wr.capacity - build->wr.length;
}

static bool build_fits_notice(const struct build *build)
{
    return build_left(build) >= NOTICE_BYTES_MAX && build->items.count < build->items.capacity;
}

static void build_note(struct build *build, enum sent_kind kind, uint64_t value, bool asks)
{
    build->items.items[build->items.count++] = (struct sent_item){.kind = kind, .value = value};
    build->asks |= asks;
}

static void build_init(struct build *build, const struct link *link, uint8_t *bytes, size_t room)
{
    size_t overhead = PACKET_SEALED_HEADER_BYTES + session_tag_bytes(link->live->current);
    *build = (struct build){.items = {item_space, 0, ITEMS_MAX}};
    wr_init_fixed(&build->wr, bytes + PACKET_SEALED_HEADER_BYTES, room - overhead);
}

/* Memory is short or the cipher failed: what was taken goes back, and we try again a little
 * later. */
static size_t build_undo(struct build *build, struct link *link, uint64_t now_ns)
{
    link_items_lost(link, build->items.items, build->items.count);
    link_items_release(build->items.items, build->items.count);
    link->live->acks.due_ns = now_ns;
    link->live->retry_ns = now_ns + LINK_RETRY_NS;
    return 0;
}

static struct sent_packet *build_record(const struct build *build, uint64_t now_ns)
{
    size_t item_bytes = build->items.count * sizeof(build->items.items[0]);
    struct sent_packet *packet = mem_alloc(sizeof(*packet) + item_bytes);
    if (!packet)
        return NULL;
    *packet = (struct sent_packet){
        .sent_ns = now_ns, .is_size_probe = build->is_size_probe, .item_count = build->items.count};
    if (item_bytes)
        memcpy(packet->items, build->items.items, item_bytes);
    return packet;
}

/* Seals, numbers and remembers the packet. Returns its length, 0 when it could not be. */
static size_t build_finish(struct build *build, struct link *link, uint8_t *bytes, uint64_t now_ns)
{
    struct live *live = link->live;
    struct sent_packet *packet = NULL;
    CHECK(!build->wr.bad);
    if (loss_reserve(&live->loss) < 0)
        return build_undo(build, link, now_ns);
    if (build->asks) {
        packet = build_record(build, now_ns);
        if (!packet)
            return build_undo(build, link, now_ns);
    }
    size_t length = session_seal(live->current, loss_next_number(&live->loss), bytes,
                                 build->wr.length);
    if (length == 0) {
        mem_free(packet);
        return build_undo(build, link, now_ns);
    }
    if (packet) {
        packet->bytes = (uint32_t)length;
        packet->charge = (uint32_t)credit_charge(length);
        packet->window_was_full = 2 * (live->loss.in_flight_bytes + length) >=
                                  live->congestion.window_bytes;
        pacer_sent(&live->pacer, length);
        link_asks(link, now_ns);
    }
    loss_sent(&live->loss, packet);
    live->sent_ns = now_ns;
    return length;
}

/* ---- what goes in ---- */

static void fill_ack(struct link *link, struct build *build, uint64_t now_ns)
{
    struct acks *acks = &link->live->acks;
    if (acks->due_ns == UINT64_MAX)
        return;
    uint64_t largest = acks_encode(acks, &build->wr, build_left(build) / 2, now_ns);
    if (largest != UINT64_MAX)
        build_note(build, SENT_ACK, largest, false);
}

static void fill_credit(struct link *link, struct build *build)
{
    struct live *live = link->live;
    if (live->grant_now && build_fits_notice(build)) {
        live->grant_now = false;
        frame_encode_credit(&build->wr, FRAME_GRANT, live->share.sequence, live->share.limit);
        build_note(build, SENT_GRANT, live->share.sequence, true);
    }
    if (live->credit.want_now && build_fits_notice(build)) {
        live->credit.want_now = false;
        frame_encode_credit(&build->wr, FRAME_WANT, live->credit.want_sequence,
                            live->credit.want_told);
        build_note(build, SENT_WANT, live->credit.want_sequence, true);
    }
    if (live->peer_notice && build_fits_notice(build)) {
        live->peer_notice = false;
        live->in_limit = live->in_consumed + MESH_PEER_WINDOW_BYTES;
        frame_encode_flow(&build->wr, FRAME_MAX_PEER, 0, live->in_limit);
        build_note(build, SENT_MAX_PEER, 0, true);
    }
    if (live->control_notice && build_fits_notice(build)) {
        live->control_notice = false;
        live->control_in.limit = live->control_in.consumed + live->control_in.window_bytes;
        frame_encode_flow(&build->wr, FRAME_MAX_FLOW, 0, live->control_in.limit);
        build_note(build, SENT_MAX_FLOW, 0, true);
    }
}

static void fill_notices(struct list *notices, struct build *build)
{
    struct list *node;
    while ((node = list_first(notices)) && build_fits_notice(build)) {
        struct inflow *flow = LIST_ENTRY(node, struct inflow, notice);
        list_remove(node);
        if (flow->is_reset) {
            frame_encode_flow(&build->wr, FRAME_FLOW_RESET, flow->lane.id, 0);
            build_note(build, SENT_RESET, flow->lane.id, true);
        } else {
            flow->lane.limit = flow->lane.consumed + flow->lane.window_bytes;
            frame_encode_flow(&build->wr, FRAME_MAX_FLOW, flow->lane.id, flow->lane.limit);
            build_note(build, SENT_MAX_FLOW, flow->lane.id, true);
        }
    }
}

static void fill_endings(struct link *link, struct build *build)
{
    struct list *node;
    while ((node = list_first(&link->live->ending)) && build_fits_notice(build)) {
        struct outflow *flow = LIST_ENTRY(node, struct outflow, ending);
        list_remove(node);
        frame_encode_flow(&build->wr, FRAME_FLOW_END, flow->lane.id, flow->lane.started_end);
        build_note(build, SENT_END, flow->lane.id, true);
    }
}

/* The next flow in turn that may send, at the head of |active|; NULL when none may. Flows that
 * wait for nothing but the peer's credit stay in the list, others leave it. */
static struct outflow *next_flow(struct live *live)
{
    struct list *stalled = NULL, *node;
    while ((node = list_first(&live->active)) && node != stalled) {
        struct outflow *flow = LIST_ENTRY(node, struct outflow, active);
        bool blocked_by_peer;
        if (outlane_may_send(&flow->lane, &live->peer_credit, &blocked_by_peer))
            return flow;
        list_remove(node);
        if (!blocked_by_peer) {
            flow->deficit = 0;
            continue;
        }
        list_push_back(&live->active, node);
        if (!stalled)
            stalled = node;
    }
    return NULL;
}

static void fill_flows(struct link *link, struct build *build)
{
    struct live *live = link->live;
    struct outflow *flow;
    while (build_left(build) > FRAME_DATA_OVERHEAD_MAX &&
           build->items.count < build->items.capacity && (flow = next_flow(live))) {
        if (flow->deficit <= 0)
            flow->deficit += FLOW_QUANTUM_BYTES;
        size_t filled = outlane_fill(&flow->lane, &live->peer_credit, &build->wr, &build->items,
                                     (size_t)flow->deficit);
        if (filled == 0)
            return;
        build->asks = true;
        flow->deficit -= (int64_t)filled;
        if (flow->deficit <= 0) {
            list_remove(&flow->active);
            list_push_back(&live->active, &flow->active);
        }
    }
}

static void fill_data(struct link *link, struct build *build, uint64_t now_ns)
{
    struct live *live = link->live;
    fill_credit(link, build);
    fill_notices(&live->notices, build);
    if (outlane_fill(&live->control, NULL, &build->wr, &build->items, SIZE_MAX))
        build->asks = true;
    /* What is passed on and what is our own go first in turn. */
    if (live->passing_first)
        build->asks |= link_fill_passings(link, &build->wr, now_ns);
    fill_flows(link, build);
    if (!live->passing_first)
        build->asks |= link_fill_passings(link, &build->wr, now_ns);
    live->passing_first = !live->passing_first;
    if (!build->asks && (live->ping_now || live->probes) && build_fits_notice(build)) {
        frame_encode_empty(&build->wr, FRAME_PING);
        build->asks = true;
    }
    if (build->asks)
        link_flows_retire(link, RETIRE_PER_PACKET, now_ns);
    fill_endings(link, build);
    if (build->asks) {
        live->ping_now = false;
        fill_notices(&live->lazy_notices, build);
    }
}

/* ---- whether it may go ---- */

bool link_has_news(struct link *link)
{
    struct live *live = link->live;
    return live->note_count || live->passing_count || live->ping_now || live->grant_now ||
           live->credit.want_now || live->peer_notice || live->control_notice ||
           !list_is_empty(&live->notices) || !list_is_empty(&live->ending) ||
           outlane_may_send(&live->control, NULL, NULL) || next_flow(live);
}

/* Asks for more credit when what is queued exceeds it, and gives it back when all is through. */
static void link_ask_credit(struct link *link)
{
    struct live *live = link->live;
    struct link_credit *credit = &live->credit;
    uint64_t pending = live->out_bytes + live->passing_bytes;
    uint64_t amount = credit_charge(pending + SEND_SLACK_BYTES);
    if (pending == 0) {
        if (credit->has_more && live->loss.in_flight_count == 0) {
            credit->want_now = true;
            credit->want_sequence++;
            credit->has_more = false;
            credit->want_told = 0;
        } else if (!credit->has_more) {
            credit->want_told = 0;
        }
    } else if (amount > credit->limit && amount / 2 > credit->want_told) {
        credit->want_now = true;
        credit->want_sequence++;
        credit->want_told = amount;
    }
}

/* The largest datagram that may go now; 0 = none. */
static size_t link_room(struct link *link, uint64_t now_ns)
{
    struct live *live = link->live;
    const struct loss *loss = &live->loss;
    size_t carried = mesh_address_is_via(&live->path)
                         ? MIN_OF(live->mtu.current, link_relay_room(link))
                         : live->mtu.current;
    size_t cap = MIN_OF(carried,
                        MAX_OF(credit_room(live->credit.limit), (size_t)CREDIT_FLOOR_BYTES));
    if (live->probes)
        return loss->probe_count >= 2 ? MIN_OF(cap, live->mtu.base) : cap;
    uint64_t pending = live->out_bytes + live->passing_bytes;
    size_t want = (size_t)MIN_OF((uint64_t)cap, pending + SEND_SLACK_BYTES);
    size_t room = cap;
    if (loss->in_flight_charge) {
        uint64_t left = live->credit.limit > loss->in_flight_charge
                            ? live->credit.limit - loss->in_flight_charge
                            : 0;
        room = MIN_OF(room, credit_room(left));
        /* The rest of the credit is worth a smaller datagram, unless it is very small. */
        if (room >= cap / 2)
            want = MIN_OF(want, room);
    }
    if (loss->in_flight_bytes) {
        uint64_t window = live->congestion.window_bytes;
        uint64_t left = window > loss->in_flight_bytes ? window - loss->in_flight_bytes : 0;
        room = (size_t)MIN_OF((uint64_t)room, left);
    }
    if (room < want)
        return 0;
    uint64_t wait_ns = pacer_wait_ns(&live->pacer, live->congestion.window_bytes,
                                     live->rtt.smoothed_ns, room, now_ns);
    if (wait_ns) {
        live->pace_ns = now_ns + wait_ns;
        return 0;
    }
    return room;
}

/* ---- packets ---- */

size_t link_pull_token(struct link *link, enum frame_type type, const uint8_t *token,
                       uint8_t *bytes, uint64_t now_ns)
{
    struct build build;
    build_init(&build, link, bytes, CREDIT_FLOOR_BYTES);
    frame_encode_token(&build.wr, type, token);
    return build_finish(&build, link, bytes,
                        now_ns); /* not remembered: it has its own repetition */
}

/* Notes, and an ACK that is due: under no window and not remembered. */
static size_t pull_notes(struct link *link, uint8_t *bytes, uint64_t now_ns)
{
    struct live *live = link->live;
    struct build build;
    struct list *node;
    if (!live->note_count)
        return 0;
    build_init(&build, link, bytes, live->mtu.base);
    while ((node = list_first(&live->notes))) {
        const struct note *note = LIST_ENTRY(node, struct note, node);
        if (build_left(&build) < NOTE_OVERHEAD_BYTES_MAX + note->length)
            break;
        frame_encode_note(&build.wr, note->bytes, note->length);
        link_note_drop(live);
    }
    fill_ack(link, &build, now_ns);
    return build_finish(&build, link, bytes, now_ns);
}

/* A larger datagram, to see whether the path carries it: only while there is bulk to send. */
static size_t pull_size_probe(struct link *link, uint8_t *bytes, uint64_t now_ns)
{
    struct live *live = link->live;
    if (live->out_bytes + live->passing_bytes <= live->mtu.current || live->probes ||
        !live->rtt.has_sample || live->loss.in_flight_bytes > live->congestion.window_bytes)
        return 0;
    size_t most = credit_room(live->credit.limit / 4);
    if (mesh_address_is_via(&live->path))
        most = MIN_OF(most, link_relay_room(link));
    size_t size = mtu_probe_size(&live->mtu, most, now_ns);
    if (size == 0 || live->loss.in_flight_charge + credit_charge(size) > live->credit.limit)
        return 0;
    struct build build;
    build_init(&build, link, bytes, size);
    frame_encode_empty(&build.wr, FRAME_PING);
    uint8_t *padding = wr_space(&build.wr, build_left(&build));
    memset(padding, FRAME_PADDING, (size_t)(build.wr.bytes + build.wr.length - padding));
    build.asks = true;
    build.is_size_probe = true;
    size_t length = build_finish(&build, link, bytes, now_ns);
    if (length)
        mtu_probe_sent(&live->mtu, length);
    return length;
}

static size_t pull_data(struct link *link, bool has_news, uint8_t *bytes, uint64_t now_ns)
{
    struct live *live = link->live;
    struct build build;
    bool ack_due = live->acks.due_ns <= now_ns;
    if (ack_due && live->acks.received.count > RANGES_FOR_PING && !live->loss.in_flight_count) {
        live->ping_now = true; /* so that the peer's answer lets us forget old ranges */
        has_news = true;
    }
    size_t room = has_news || live->probes ? link_room(link, now_ns) : 0;
    if (!room && !ack_due)
        return 0;
    build_init(&build, link, bytes, room ? room : live->mtu.base);
    fill_ack(link, &build, now_ns);
    if (room)
        fill_data(link, &build, now_ns);
    if (build.wr.length == 0 && live->passing_count && live->loss.in_flight_count)
        return 0; /* there is no room for what is passed on; an acknowledgement makes some */
    if (build.wr.length == 0) {
        live->retry_ns = now_ns + LINK_RETRY_NS;
        return 0;
    }
    size_t length = build_finish(&build, link, bytes, now_ns);
    if (length && build.asks && live->probes)
        live->probes--;
    return length;
}

static size_t pull_sealed(struct link *link, struct mesh_address *to, uint8_t *bytes,
                          uint64_t now_ns)
{
    struct live *live = link->live;
    size_t length = 0;
    link_ask_credit(link);
    bool has_news = link_has_news(link);
    if (has_news && session_is_worn(live->current, link->mesh->config.rekey_after_ns, now_ns)) {
        link_call(link, now_ns);
        length = link_pull_handshake(link, to, bytes, now_ns);
        if (length)
            return length;
    }
    if (session_is_spent(live->current))
        return 0;
    *to = live->path;
    length = pull_notes(link, bytes, now_ns);
    if (length == 0)
        length = link_pull_path(link, to, bytes, now_ns);
    if (length)
        return length;
    if (mesh_address_is_via(&live->path)) {
        link_try_direct(link, now_ns);
        *to = live->path;
        if (link_relay_is_full(link)) /* acknowledgements and probes go all the same */
            return pull_data(link, false, bytes, now_ns);
    }
    *to = live->path;
    length = pull_size_probe(link, bytes, now_ns);
    return length ? length : pull_data(link, has_news, bytes, now_ns);
}

size_t link_pull(struct link *link, struct mesh_address *to, uint8_t *bytes, uint64_t now_ns)
{
    struct live *live = link->live;
    if (!live || now_ns < (live->retry_ns == UINT64_MAX ? 0 : live->retry_ns))
        return 0;
    if (live->current && link_is_stale(link, now_ns) && link_has_news(link))
        link_sessions_drop(link);
    size_t length = link_pull_handshake(link, to, bytes, now_ns);
    if (length)
        return length;
    if (live->current)
        return pull_sealed(link, to, bytes, now_ns);
    if (link_is_over(link) || !link_has_news(link))
        return 0;
    link_call(link, now_ns);
    return link_pull_handshake(link, to, bytes, now_ns);
}

size_t link_goodbye(struct link *link, uint8_t *bytes)
{
    struct live *live = link->live;
    struct build build;
    if (!live || !live->current || loss_reserve(&live->loss) < 0)
        return 0;
    build_init(&build, link, bytes, sizeof(((struct parting *)0)->packet));
    frame_encode_empty(&build.wr, FRAME_GOODBYE);
    return session_seal(live->current, loss_next_number(&live->loss), bytes, build.wr.length);
}

size_t link_tombstone(struct link *link, uint8_t *bytes)
{
    struct build build;
    build_init(&build, link, bytes, MESH_TOMBSTONE_BYTES_MAX);
    frame_encode_empty(&build.wr, FRAME_TOMBSTONE);
    return session_seal(link->live->current, PACKET_NUMBER_TOMBSTONE, bytes, build.wr.length);
}
