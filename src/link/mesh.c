/* SPDX-License-Identifier: BSD-3-Clause */
/* All links of a daemon, as its users see them: mesh.h. What one link does is in link.h. */
#include "link/link.h"

#include "base/mem.h"

#include <string.h>

static void wipe(void *bytes, size_t length)
{
    volatile uint8_t *at = bytes;
    while (length--)
        *at++ = 0;
}

static bool config_is_valid(const struct mesh_config *config)
{
    return config->crypto && config->datagram_bytes_max >= MESH_DATAGRAM_BYTES_MIN &&
           config->datagram_bytes_max <= MESH_DATAGRAM_BYTES_MAX;
}

struct mesh *mesh_create(const struct mesh_config *config, uint64_t now_ns)
{
    CHECK(config_is_valid(config));
    struct mesh *mesh = mem_calloc(1, sizeof(*mesh));
    if (!mesh)
        return NULL;
    mesh->config = *config;
    mesh->hello_tokens = 2048;
    mesh->hello_tokens_ns = now_ns;
    map_init(&mesh->links);
    map_init(&mesh->keys);
    map_init(&mesh->sessions);
    heap_init(&mesh->timers);
    heap_node_init(&mesh->credit_timer);
    list_init(&mesh->ready);
    list_init(&mesh->events);
    list_init(&mesh->partings);
    list_init(&mesh->relayed);
    credit_init(&mesh->credit, config->receive_buffer_bytes);
    if (config->crypto->public_key(config->crypto->context, config->private_key, mesh->public_key) <
            0 ||
        heap_set(&mesh->timers, &mesh->credit_timer, UINT64_MAX) < 0) {
        mesh_destroy(mesh);
        return NULL;
    }
    return mesh;
}

/* ---- events ---- */

static void event_done(struct event_node *event)
{
    list_remove(&event->node);
    switch (event->kind) {
    case MESH_CONTROL:
    case MESH_FLOW_FRAME:
    case MESH_NOTE:
        inframe_destroy(event->owner);
        break;
    case MESH_FLOW_ACKED:
    case MESH_FLOW_RESET:
        outflow_event_done(event->owner);
        break;
    case MESH_UP:
    case MESH_DOWN:
    case MESH_TOMBSTONE:
    case MESH_SESSION:
        break;
    }
}

/* |link| NULL: of all. */
static void mesh_drop_events(struct mesh *mesh, const struct link *link)
{
    LIST_EACH(node, next, &mesh->events)
    {
        struct event_node *event = LIST_ENTRY(node, struct event_node, node);
        if (!link || event->link == link)
            event_done(event);
    }
}

/* Moves the unit's buffer into the event. The first byte of a control message is its kind. */
static void event_take_unit(struct event_node *node, struct mesh_event *event)
{
    struct inframe *frame = node->owner;
    size_t skip = node->kind == MESH_CONTROL ? 1 : 0;
    event->payload = (struct slice){
        .buf = frame->buf, .data = frame->buf->data + skip, .length = frame->length - skip};
    event->bytes = event->payload.length;
    frame->buf = NULL;
    if (node->kind == MESH_CONTROL && node->link->live && !node->is_orphan)
        link_control_consumed(node->link, frame->length);
}

bool mesh_next_event(struct mesh *mesh, struct mesh_event *event)
{
    struct list *first = list_first(&mesh->events);
    if (!first)
        return false;
    struct event_node *node = LIST_ENTRY(first, struct event_node, node);
    *event = (struct mesh_event){.kind = node->kind,
                                 .peer = node->link->peer,
                                 .source = node->source,
                                 .destination = node->destination,
                                 .reason = node->kind == MESH_DOWN ? node->reason : NULL};
    if (node->kind == MESH_CONTROL || node->kind == MESH_FLOW_FRAME || node->kind == MESH_NOTE)
        event_take_unit(node, event);
    if (node->kind == MESH_FLOW_ACKED) {
        struct outflow *flow = node->owner;
        event->bytes = flow->acked_bytes;
        flow->acked_bytes = 0;
    }
    event_done(node);
    return true;
}

/* ---- peers ---- */

static struct link *mesh_link(const struct mesh *mesh, uint64_t peer)
{
    return map_get(&mesh->links, peer);
}

/* Tells the peers whose share of the receive buffer changed. */
static void mesh_tell_credit(struct mesh *mesh)
{
    struct credit_share *share;
    while ((share = credit_next_changed(&mesh->credit))) {
        struct live *live = CONTAINER_OF(share, struct live, share);
        live->grant_now = true;
        link_wake(live->link);
    }
    uint64_t at_ns = credit_deadline_ns(&mesh->credit);
    if (mesh->credit_timer.key != at_ns)
        (void)heap_set(&mesh->timers, &mesh->credit_timer, at_ns);
}

static void mesh_count_peers(struct mesh *mesh)
{
    if (!credit_set_peers(&mesh->credit, mesh->links.count))
        return;
    for (size_t i = 0; i < mesh->links.count; i++) {
        struct link *link = mesh->links.entries[i].value;
        if (link->live)
            credit_share_refresh(&mesh->credit, &link->live->share);
    }
    mesh_tell_credit(mesh);
}

static void mesh_forget_key(struct mesh *mesh, const struct link *gone)
{
    uint64_t prefix = mesh_key_prefix(gone->public_key);
    if (map_get(&mesh->keys, prefix) != gone)
        return;
    map_remove(&mesh->keys, prefix);
    for (size_t i = 0; i < mesh->links.count; i++) {
        struct link *link = mesh->links.entries[i].value;
        if (link != gone && mesh_key_prefix(link->public_key) == prefix) {
            (void)map_put(&mesh->keys, prefix, link); /* in the place just left: needs no memory */
            return;
        }
    }
}

int mesh_peer_add(struct mesh *mesh, const struct mesh_peer_config *config, uint64_t now_ns)
{
    if (mesh_link(mesh, config->peer))
        return -1;
    struct link *link = link_create(mesh, config);
    if (!link)
        return -1;
    if (map_put(&mesh->links, link->peer, link) < 0) {
        link_destroy(link);
        return -1;
    }
    if (map_put(&mesh->keys, mesh_key_prefix(link->public_key), link) < 0) {
        map_remove(&mesh->links, link->peer);
        link_destroy(link);
        return -1;
    }
    mesh_count_peers(mesh);
    return 0;
}

void mesh_peer_set_psk(struct mesh *mesh, uint64_t peer, const uint8_t *psk, uint32_t epoch,
                       uint64_t now_ns)
{
    struct link *link = mesh_link(mesh, peer);
    if (!link || (epoch == link->psk_epoch && memcmp(psk, link->psk, SEAL_KEY_BYTES) == 0))
        return;
    if (!link->previous_psk)
        link->previous_psk = mem_alloc(SEAL_KEY_BYTES); /* without memory it is not accepted */
    if (link->previous_psk)
        memcpy(link->previous_psk, link->psk, SEAL_KEY_BYTES);
    link->previous_psk_epoch = link->psk_epoch;
    memcpy(link->psk, psk, SEAL_KEY_BYTES);
    link->psk_epoch = epoch;
    if (!link->live || link_is_over(link))
        return;
    bool was_calling = link->live->calling;
    link_calling_stop(link);
    link->live->calling_pause_ns = 0;
    if (link->live->current || was_calling)
        link_call(link, now_ns);
    link_schedule(link);
}

static void mesh_part(struct mesh *mesh, struct link *link, uint64_t now_ns)
{
    struct parting *parting = link->live ? mem_alloc(sizeof(*parting)) : NULL;
    if (!parting)
        return;
    parting->length = link_goodbye(link, parting->packet);
    if (parting->length == 0) {
        mem_free(parting);
        return;
    }
    parting->to = link->live->path;
    if (mesh_address_is_via(&parting->to)) {
        link_relay_send(link, &parting->to, parting->packet, parting->length, now_ns);
        mem_free(parting);
        return;
    }
    list_push_back(&mesh->partings, &parting->node);
}

void mesh_peer_remove(struct mesh *mesh, uint64_t peer, bool say_goodbye, uint64_t now_ns)
{
    struct link *link = mesh_link(mesh, peer);
    if (!link)
        return;
    if (say_goodbye)
        mesh_part(mesh, link, now_ns);
    mesh_drop_events(mesh, link);
    map_remove(&mesh->links, peer);
    mesh_forget_key(mesh, link);
    link_destroy(link);
    mesh_count_peers(mesh);
    credit_run(&mesh->credit, now_ns);
    mesh_tell_credit(mesh);
}

void mesh_destroy(struct mesh *mesh)
{
    if (!mesh)
        return;
    mesh_drop_events(mesh, NULL);
    for (size_t i = 0; i < mesh->links.count; i++)
        link_destroy(mesh->links.entries[i].value);
    LIST_EACH(node, next, &mesh->partings)
    mem_free(LIST_ENTRY(node, struct parting, node));
    map_fini(&mesh->links);
    map_fini(&mesh->keys);
    map_fini(&mesh->sessions);
    heap_fini(&mesh->timers);
    wipe(&mesh->config, sizeof(mesh->config));
    mem_free(mesh);
}

const uint8_t *mesh_public_key(const struct mesh *mesh)
{
    return mesh->public_key;
}

const struct mesh_counters *mesh_counters(const struct mesh *mesh)
{
    return &mesh->counters;
}

bool mesh_peer_is_up(const struct mesh *mesh, uint64_t peer)
{
    const struct link *link = mesh_link(mesh, peer);
    return link && link->state == LINK_UP;
}

uint64_t mesh_peer_rtt_ns(const struct mesh *mesh, uint64_t peer)
{
    const struct link *link = mesh_link(mesh, peer);
    if (!link || !link->live)
        return link ? link_rest_rtt_ns(link) : 0;
    return link->live->rtt.has_sample ? link->live->rtt.smoothed_ns : 0;
}

bool mesh_peer_relay(const struct mesh *mesh, uint64_t peer, uint64_t *relay)
{
    const struct link *link = mesh_link(mesh, peer);
    const struct link *through = link ? link_relay(link) : NULL;
    if (through)
        *relay = through->peer;
    return through != NULL;
}

uint64_t mesh_peer_unacked_bytes(const struct mesh *mesh, uint64_t peer)
{
    const struct link *link = mesh_link(mesh, peer);
    return link && link->live ? link->live->out_bytes : 0;
}

/* ---- saying ---- */

int mesh_send_control(struct mesh *mesh, uint64_t peer, const void *bytes, size_t length,
                      uint64_t now_ns)
{
    struct link *link = mesh_link(mesh, peer);
    if (!link || length > MESH_CONTROL_BYTES_MAX)
        return -1;
    if (link_is_over(link))
        return 0; /* who has left does not hear it; the caller has its MESH_DOWN */
    struct buf *buf = link_live(link, now_ns) ? buf_create(length + 1) : NULL;
    if (!buf)
        return -1;
    buf->data[0] = 0;
    if (length)
        memcpy(buf->data + 1, bytes, length);
    struct slice unit = slice_of(buf, 0, length + 1);
    int result = outlane_write(&link->live->control, NULL, 0, unit);
    slice_drop(&unit);
    buf_drop(buf);
    if (result < 0)
        return -1;
    link_out(link, length + 1, 0);
    link_wake(link);
    return 0;
}

int mesh_send_note(struct mesh *mesh, uint64_t peer, const void *bytes, size_t length,
                   uint64_t now_ns)
{
    struct link *link = mesh_link(mesh, peer);
    if (!link || length == 0 || length > MESH_NOTE_BYTES_MAX)
        return -1;
    return link_is_over(link) ? 0 : link_note(link, bytes, length, now_ns);
}

size_t mesh_tombstone(struct mesh *mesh, uint64_t peer, struct mesh_address *to, uint8_t *bytes)
{
    struct link *link = mesh_link(mesh, peer);
    if (!link || !link->live || !link->live->current || mesh_address_is_via(&link->live->path))
        return 0;
    *to = link->live->path;
    return link_tombstone(link, bytes);
}

_Static_assert((int)MESH_HEAD_BYTES_MAX == (int)OUTLANE_HEAD_BYTES_MAX, "kept with the frame");

int mesh_flow_write_headed(struct mesh *mesh, uint64_t peer, uint32_t source, uint32_t destination,
                           const void *head, size_t head_length, struct slice body, uint64_t now_ns)
{
    struct link *link = mesh_link(mesh, peer);
    const size_t length = head_length + body.length;
    if (!link || length == 0 || length > MESH_FRAME_BYTES_MAX || head_length > MESH_HEAD_BYTES_MAX)
        return -1;
    if (link_is_over(link))
        return 0;
    if (!link_live(link, now_ns))
        return -1;
    return link_flows_write(link, source, destination, head, head_length, body);
}

int mesh_flow_write(struct mesh *mesh, uint64_t peer, uint32_t source, uint32_t destination,
                    struct slice frame, uint64_t now_ns)
{
    return mesh_flow_write_headed(mesh, peer, source, destination, NULL, 0, frame, now_ns);
}

void mesh_flow_consume(struct mesh *mesh, uint64_t peer, uint32_t source, uint32_t destination,
                       uint64_t bytes, uint64_t now_ns)
{
    struct link *link = mesh_link(mesh, peer);
    if (link && link->live)
        link_flows_consume(link, source, destination, bytes);
}

void mesh_flow_reset(struct mesh *mesh, uint64_t peer, uint32_t source, uint32_t destination,
                     uint64_t now_ns)
{
    struct link *link = mesh_link(mesh, peer);
    if (!link)
        return;
    LIST_EACH(node, next, &mesh->events)
    {
        struct event_node *event = LIST_ENTRY(node, struct event_node, node);
        if (event->link == link && event->kind == MESH_FLOW_FRAME && event->source == source &&
            event->destination == destination)
            event_done(event);
    }
    if (link->live)
        link_flows_reset(link, source, destination);
}

/* ---- datagrams and time ---- */

void mesh_receive_packet(struct mesh *mesh, const struct mesh_address *from, const uint8_t *bytes,
                         size_t length, uint64_t now_ns)
{
    switch (length ? bytes[0] : 0) {
    case PACKET_HELLO:
        mesh_receive_hello(mesh, from, bytes, length, now_ns);
        break;
    case PACKET_ANSWER:
        mesh_receive_answer(mesh, from, bytes, length, now_ns);
        break;
    case PACKET_SEALED:
        mesh_receive_sealed(mesh, from, bytes, length, now_ns);
        break;
    default:
        mesh->counters.dropped_malformed++;
        break;
    }
}

void mesh_receive(struct mesh *mesh, const struct mesh_address *from, const uint8_t *bytes,
                  size_t length, uint64_t now_ns)
{
    mesh->counters.datagrams_in++;
    mesh->counters.bytes_in += length;
    if (mesh_address_is_via(from)) { /* nobody sends from port 0 */
        mesh->counters.dropped_malformed++;
        return;
    }
    mesh_receive_packet(mesh, from, bytes, length, now_ns);
    mesh_receive_relayed(mesh, now_ns);
    mesh_tell_credit(mesh);
}

void mesh_unreachable(struct mesh *mesh, const struct mesh_address *to, uint64_t now_ns)
{
    for (size_t i = 0; i < mesh->links.count; i++) {
        struct link *link = mesh->links.entries[i].value;
        struct live *live = link->live;
        if (!live || !live->current || !live->has_path || live->ping_now ||
            live->loss.in_flight_count || !mesh_address_is_same(&live->path, to))
            continue; /* what is in flight is a probe already */
        live->ping_now = true;
        link_wake(link);
    }
}

static size_t mesh_pull_parting(struct mesh *mesh, struct mesh_address *to, uint8_t *bytes)
{
    struct list *node = list_first(&mesh->partings);
    if (!node)
        return 0;
    struct parting *parting = LIST_ENTRY(node, struct parting, node);
    size_t length = parting->length;
    *to = parting->to;
    memcpy(bytes, parting->packet, length);
    list_remove(node);
    mem_free(parting);
    return length;
}

size_t mesh_pull(struct mesh *mesh, struct mesh_address *to, uint8_t *bytes, uint64_t now_ns)
{
    struct list *node;
    size_t length = mesh_pull_parting(mesh, to, bytes);
    while (length == 0 && (node = list_first(&mesh->ready))) {
        struct link *link = LIST_ENTRY(node, struct link, ready);
        list_remove(node);
        length = link_pull(link, to, bytes, now_ns);
        if (length)
            link_wake(link); /* one datagram each, in turn */
        else
            link_schedule(link);
        if (length && mesh_address_is_via(to)) {
            link_relay_send(link, to, bytes, length, now_ns);
            length = 0;
        }
    }
    if (length) {
        mesh->counters.datagrams_out++;
        mesh->counters.bytes_out += length;
    }
    return length;
}

uint64_t mesh_deadline(const struct mesh *mesh)
{
    return heap_first(&mesh->timers)->key;
}

void mesh_expire(struct mesh *mesh, uint64_t now_ns)
{
    struct heap_node *first;
    while ((first = heap_first(&mesh->timers)) && first->key <= now_ns) {
        if (first == &mesh->credit_timer) {
            credit_run(&mesh->credit, now_ns);
            mesh_tell_credit(mesh);
        } else {
            struct link *link = CONTAINER_OF(first, struct link, timer);
            link_expire(link, now_ns);
            link_schedule(link);
        }
        if (first->key <= now_ns) /* whatever is due again at once waits for the next tick */
            (void)heap_set(&mesh->timers, first, now_ns + RTT_GRANULARITY_NS);
    }
}
