/* SPDX-License-Identifier: BSD-3-Clause */
/* A link's life, its states and its timers: see link.h. */
#include "link/link.h"

#include "base/mem.h"

#include <string.h>

enum { PROBES_BEFORE_PATHS = 3, PROBES_PER_CALL = 4 };
#define LINK_SLEPT_NS UINT64_C(1000000000) /* a timer later than that: the machine slept */

/* What the caller is told when. A closed link stays closed until the peer begins anew; a dead one
 * for good: its keys died with the daemon. */
static const struct {
    enum link_state next;
    bool tells_up, tells_down, tells_death;
} link_table[LINK_STATE_COUNT][LINK_INPUT_COUNT] = {
    [LINK_FRESH] = {[LINK_LIFE] = {LINK_UP, true, false},
                    [LINK_SILENCE] = {LINK_SILENT, false, true},
                    [LINK_GOODBYE] = {LINK_CLOSED, false, true},
                    [LINK_RENEWAL] = {LINK_FRESH, false, false},
                    [LINK_DEATH] = {LINK_DEAD, false, false, true}},
    [LINK_UP] = {[LINK_LIFE] = {LINK_UP, false, false},
                 [LINK_SILENCE] = {LINK_SILENT, false, true},
                 [LINK_GOODBYE] = {LINK_CLOSED, false, true},
                 [LINK_RENEWAL] = {LINK_FRESH, false, true},
                 [LINK_DEATH] = {LINK_DEAD, false, false, true}},
    [LINK_SILENT] = {[LINK_LIFE] = {LINK_UP, true, false},
                     [LINK_SILENCE] = {LINK_SILENT, false, false},
                     [LINK_GOODBYE] = {LINK_CLOSED, false, false},
                     [LINK_RENEWAL] = {LINK_FRESH, false, false},
                     [LINK_DEATH] = {LINK_DEAD, false, false, true}},
    [LINK_CLOSED] = {[LINK_LIFE] = {LINK_CLOSED, false, false},
                     [LINK_SILENCE] = {LINK_CLOSED, false, false},
                     [LINK_GOODBYE] = {LINK_CLOSED, false, false},
                     [LINK_RENEWAL] = {LINK_FRESH, false, false},
                     [LINK_DEATH] = {LINK_DEAD, false, false, true}},
    [LINK_DEAD] = {[LINK_LIFE] = {LINK_DEAD, false, false},
                   [LINK_SILENCE] = {LINK_DEAD, false, false},
                   [LINK_GOODBYE] = {LINK_DEAD, false, false},
                   [LINK_RENEWAL] = {LINK_DEAD, false, false},
                   [LINK_DEATH] = {LINK_DEAD, false, false}},
};

static const char *const link_state_names[LINK_STATE_COUNT] = {
#define LINK_STATE_NAME(name) [LINK_##name] = #name,
    LINK_STATES(LINK_STATE_NAME)
#undef LINK_STATE_NAME
};

void event_init(struct event_node *event, enum mesh_event_kind kind, struct link *link, void *owner)
{
    *event = (struct event_node){.kind = kind, .link = link, .owner = owner};
    list_init(&event->node);
}

void event_queue(struct event_node *event)
{
    if (list_is_empty(&event->node))
        list_push_back(&event->link->mesh->events, &event->node);
}

/* An event that was not taken yet and is no longer true is taken back, so that UP and DOWN always
 * reach the caller in turn. */
static void link_tell(struct event_node *event, struct event_node *opposite)
{
    if (!list_is_empty(&event->node) && !list_is_empty(&opposite->node))
        list_remove(&opposite->node);
    else
        event_queue(event);
}

void link_input(struct link *link, enum link_input input, const char *reason)
{
    enum link_state before = link->state;
    link->state = link_table[before][input].next;
    if (link_table[before][input].tells_up)
        link_tell(&link->up_event, &link->down_event);
    if (link_table[before][input].tells_down) {
        link->down_event.reason = reason;
        link_tell(&link->down_event, &link->up_event);
    }
    if (link_table[before][input].tells_death)
        event_queue(&link->tombstone_event);
    if (link->state != before)
        log_line(link->mesh->config.log, LOG_LEVEL_INFO, "link %llx: %s -> %s%s%s",
                 (unsigned long long)link->peer, link_state_names[before],
                 link_state_names[link->state], reason ? ", " : "", reason ? reason : "");
}

struct link *link_create(struct mesh *mesh, const struct mesh_peer_config *config)
{
    struct link *link = mem_calloc(1, sizeof(*link));
    if (!link)
        return NULL;
    link->mesh = mesh;
    link->peer = config->peer;
    link->self = config->self;
    memcpy(link->public_key, config->public_key, SEAL_KEY_BYTES);
    memcpy(link->psk, config->psk, SEAL_KEY_BYTES);
    link->psk_epoch = config->psk_epoch;
    list_init(&link->ready);
    heap_node_init(&link->timer);
    event_init(&link->up_event, MESH_UP, link, NULL);
    event_init(&link->down_event, MESH_DOWN, link, NULL);
    event_init(&link->session_event, MESH_SESSION, link, NULL);
    event_init(&link->tombstone_event, MESH_TOMBSTONE, link, NULL);
    link->addresses = mem_calloc(config->address_count, sizeof(link->addresses[0]));
    for (size_t i = 0; link->addresses && i < config->address_count; i++) {
        if (link->address_count < MESH_ADDRESSES_MAX && !mesh_address_is_via(&config->addresses[i]))
            link->addresses[link->address_count++] = config->addresses[i];
    }
    /* Its place in the heap is taken now, so that setting the timer never fails. */
    if (!link->addresses || heap_set(&mesh->timers, &link->timer, UINT64_MAX) < 0) {
        link_destroy(link);
        return NULL;
    }
    return link;
}

static void live_init(struct live *live, const struct mesh *mesh, uint64_t now_ns)
{
    acks_init(&live->acks);
    loss_init(&live->loss);
    rtt_init(&live->rtt);
    mtu_init(&live->mtu, MTU_BASE, mesh->config.datagram_bytes_max);
    congestion_init(&live->congestion, live->mtu.current);
    pacer_init(&live->pacer, now_ns);
    list_init(&live->notes);
    outlane_init(&live->control, 0, 0, 0, CONTROL_WINDOW_BYTES);
    inlane_init(&live->control_in, 0, 0, 0, CONTROL_WINDOW_BYTES);
    map_init(&live->outflows);
    map_init(&live->outflow_pairs);
    map_init(&live->inflows);
    map_init(&live->inflow_pairs);
    ranges_init(&live->inflows_ended);
    list_init(&live->active);
    list_init(&live->idle);
    list_init(&live->ending);
    list_init(&live->notices);
    list_init(&live->lazy_notices);
    live->next_flow_id = 1;
    live->peer_credit.limit = MESH_PEER_WINDOW_BYTES;
    live->in_limit = MESH_PEER_WINDOW_BYTES;
    live->credit.limit = CREDIT_FLOOR;
    live->previous_until_ns = UINT64_MAX;
    live->pace_ns = UINT64_MAX;
    live->retry_ns = UINT64_MAX;
    live->search_ns = UINT64_MAX;
    link_relay_init(live);
    live->received_ns = now_ns;
    credit_share_init(&live->share, &mesh->credit);
}

struct live *link_live(struct link *link, uint64_t now_ns)
{
    struct mesh *mesh = link->mesh;
    if (link->live)
        return link->live;
    link->live = mem_calloc(1, sizeof(*link->live));
    if (!link->live)
        return NULL;
    link->live->link = link;
    live_init(link->live, mesh, now_ns);
    if (link->rest)
        link_rest_restore(link);
    while (link->live->instance == 0)
        mesh->config.crypto->random_bytes(mesh->config.crypto->context,
                                          (uint8_t *)&link->live->instance,
                                          sizeof(link->live->instance));
    return link->live;
}

void link_note_drop(struct live *live)
{
    struct note *note = LIST_ENTRY(list_first(&live->notes), struct note, node);
    list_remove(&note->node);
    live->note_count--;
    mem_free(note);
}

int link_note(struct link *link, const void *bytes, size_t length, uint64_t now_ns)
{
    struct live *live = link_live(link, now_ns);
    struct note *note = live ? mem_alloc(sizeof(*note) + length) : NULL;
    if (!note)
        return -1;
    unsigned most = live->current ? LINK_NOTES_MAX : MESH_NOTES_WAITING;
    while (live->note_count >= most)
        link_note_drop(live);
    *note = (struct note){.since_ns = now_ns, .length = (uint32_t)length};
    memcpy(note->bytes, bytes, length);
    list_push_back(&live->notes, &note->node);
    live->note_count++;
    link_wake(link);
    return 0;
}

void link_hold(struct link *link, uint64_t more_bytes, uint64_t less_bytes)
{
    struct mesh_counters *counters = &link->mesh->counters;
    link->live->held_bytes += more_bytes - less_bytes;
    counters->held_bytes += more_bytes - less_bytes;
    counters->held_bytes_max = MAX_OF(counters->held_bytes_max, counters->held_bytes);
}

void link_out(struct link *link, uint64_t more_bytes, uint64_t less_bytes)
{
    link->live->out_bytes += more_bytes - less_bytes;
    link_hold(link, more_bytes, less_bytes);
}

static void link_orphan_events(struct link *link)
{
    LIST_EACH(node, next, &link->mesh->events)
    {
        struct event_node *event = LIST_ENTRY(node, struct event_node, node);
        if (event->link == link)
            event->is_orphan = true;
    }
}

/* All but sessions and handshakes. */
static void live_fini(struct link *link)
{
    struct live *live = link->live;
    link_orphan_events(link);
    while (live->note_count)
        link_note_drop(live);
    link_relay_fini(live);
    struct sent_packet *packet;
    while ((packet = loss_take(&live->loss, 0, true)))
        link_packet_free(packet);
    outlane_discard(&live->control);
    inlane_discard(&live->control_in);
    link_flows_fini(link);
    link_hold(link, 0, live->held_bytes);
    credit_share_fini(&link->mesh->credit, &live->share);
    ranges_fini(&live->inflows_ended);
    acks_fini(&live->acks);
    loss_fini(&live->loss);
}

void link_live_destroy(struct link *link)
{
    if (!link->live)
        return;
    link_sessions_fini(link);
    live_fini(link);
    mem_free(link->live);
    link->live = NULL;
}

void link_close(struct link *link, uint64_t now_ns)
{
    link_live_destroy(link);
    credit_run(&link->mesh->credit, now_ns); /* its credit is for others now */
    link_schedule(link);
}

void link_destroy(struct link *link)
{
    if (!link)
        return;
    link_live_destroy(link);
    link_rest_fini(link);
    heap_remove(&link->mesh->timers, &link->timer);
    list_remove(&link->ready);
    list_remove(&link->up_event.node);
    list_remove(&link->down_event.node);
    list_remove(&link->session_event.node);
    list_remove(&link->tombstone_event.node);
    mem_free(link->previous_psk);
    mem_free(link->addresses);
    mem_free(link);
}

void link_renew(struct link *link, uint64_t now_ns)
{
    struct live *live = link->live;
    struct live kept = *live;
    link_input(link, LINK_RENEWAL, "the peer lost its state");
    live_fini(link);
    credit_run(&link->mesh->credit, now_ns);
    memset(live, 0, sizeof(*live));
    live_init(live, link->mesh, now_ns);
    live->link = link;
    live->instance = kept.instance;
    live->hello_number = kept.hello_number;
    live->hello_seen = kept.hello_seen;
    live->hello_instance = kept.hello_instance;
    live->current = kept.current;
    live->previous = kept.previous;
    live->previous_until_ns = kept.previous_until_ns;
    live->calling = kept.calling;
    live->answering = kept.answering;
    live->has_direct = kept.has_direct;
    live->direct = kept.direct;
}

void link_wake(struct link *link)
{
    if (list_is_empty(&link->ready))
        list_push_back(&link->mesh->ready, &link->ready);
}

void link_asks(struct link *link, uint64_t now_ns)
{
    if (link->live->asking_ns == 0)
        link->live->asking_ns = MAX_OF(now_ns, (uint64_t)1);
}

static uint64_t link_probe_interval_max_ns(const struct link *link)
{
    uint64_t most_ns = LINK_PROBE_INTERVAL_MAX_NS;
    uint64_t dead_ns = link->mesh->config.dead_after_ns;
    if (link->state == LINK_SILENT)
        return 5 * most_ns;
    if (dead_ns)
        most_ns = MIN_OF(most_ns, MAX_OF(dead_ns / 4, UINT64_C(1000000)));
    return most_ns;
}

static uint64_t link_dead_ns(const struct link *link)
{
    uint64_t dead_ns = link->mesh->config.dead_after_ns;
    if (!dead_ns || !link->live->asking_ns || (link->state != LINK_FRESH && link->state != LINK_UP))
        return UINT64_MAX;
    return link->live->asking_ns + dead_ns;
}

void link_schedule(struct link *link)
{
    const struct live *live = link->live;
    uint64_t at_ns = UINT64_MAX;
    if (live && !link_is_over(link)) {
        /* Who is in the queue to send needs no timer to be asked. */
        bool is_ready = !list_is_empty(&link->ready);
        const uint64_t due_ns[] = {
            live->current && !is_ready ? live->acks.due_ns : UINT64_MAX,
            loss_deadline_ns(&live->loss, &live->rtt, link_probe_interval_max_ns(link)),
            live->pace_ns,
            live->retry_ns,
            live->previous ? live->previous_until_ns : UINT64_MAX,
            link_rest_deadline_ns(link),
            link_dead_ns(link),
            link_handshake_deadline_ns(link),
            link_paths_deadline_ns(link),
        };
        for (size_t i = 0; i < ARRAY_LEN(due_ns); i++)
            at_ns = MIN_OF(at_ns, due_ns[i]);
    }
    if (live && live->retry_ns != UINT64_MAX)
        at_ns = MAX_OF(at_ns, live->retry_ns); /* nothing can be sent before */
    if (link->timer.key != at_ns)
        (void)heap_set(&link->mesh->timers, &link->timer, at_ns); /* moving never fails */
}

/* RFC 9002 section 6.2.4: send something that asks for an answer, best what may be lost. */
static void link_probe(struct link *link, uint64_t now_ns)
{
    struct live *live = link->live;
    link->mesh->counters.probe_timeouts++;
    live->loss.probe_count++;
    live->loss.last_sent_ns = now_ns; /* the next timeout counts from this probe */
    live->probes = link->state == LINK_SILENT ? 1 : LINK_PROBES_PER_TIMEOUT;
    struct sent_packet *oldest = loss_oldest(&live->loss);
    if (oldest && !oldest->is_size_probe)
        link_items_lost(link, oldest->items, oldest->item_count);
    if (live->loss.probe_count >= PROBES_BEFORE_PATHS)
        link_search_path(link, now_ns);
    /* The peer may be there and have forgotten the keys. */
    bool is_turn = live->loss.probe_count % PROBES_PER_CALL == PROBES_BEFORE_PATHS;
    if (live->current && (is_turn || link->state == LINK_SILENT))
        link_call(link, now_ns);
}

void link_expire(struct link *link, uint64_t now_ns)
{
    struct live *live = link->live;
    if (!live || link_is_over(link) || link_rest_expire(link, now_ns))
        return;
    if (live->previous && now_ns >= live->previous_until_ns) {
        map_remove(&link->mesh->sessions, live->previous->local_index);
        session_destroy(live->previous);
        live->previous = NULL;
    }
    uint64_t dead_ns = link_dead_ns(link);
    if (now_ns >= dead_ns && now_ns - dead_ns > LINK_SLEPT_NS)
        live->asking_ns = now_ns; /* it is we who were away: the peer gets its time again */
    else if (now_ns >= dead_ns)
        link_input(link, LINK_SILENCE, "no sign of life");
    if (live->loss.loss_ns <= now_ns && live->loss.in_flight_count)
        link_detect_losses(link, now_ns);
    if (now_ns >= loss_deadline_ns(&live->loss, &live->rtt, link_probe_interval_max_ns(link)))
        link_probe(link, now_ns);
    if (now_ns >= live->retry_ns)
        live->retry_ns = UINT64_MAX;
    if (now_ns >= live->pace_ns)
        live->pace_ns = UINT64_MAX;
    link_expire_handshake(link, now_ns);
    link_expire_paths(link, now_ns);
    link_wake(link);
}

bool mesh_address_is_same(const struct mesh_address *a, const struct mesh_address *b)
{
    return a->port == b->port && a->scope_id == b->scope_id &&
           memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

uint64_t mesh_key_prefix(const uint8_t *public_key)
{
    uint64_t prefix;
    memcpy(&prefix, public_key, sizeof(prefix));
    return prefix;
}
