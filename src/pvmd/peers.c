/* SPDX-License-Identifier: BSD-3-Clause */
/* Other daemons: the mesh between the node and the UDP socket. See pvmd/daemon.h. */
#include "pvmd/daemon.h"

#include "base/str.h"
#include "os/clock.h"
#include "pvmd/address.h"

#include <string.h>

/* ---- from the network ---- */

static void got_datagram(void *context, const struct net_address *from, uint8_t *bytes,
                         size_t length)
{
    struct daemon *daemon = context;
    struct mesh_address address = address_to_mesh(from);
    mesh_receive(daemon->mesh, &address, bytes, length, clock_now_ns());
}

static void got_unreachable(void *context, const struct net_address *to)
{
    struct daemon *daemon = context;
    struct mesh_address address = address_to_mesh(to);
    mesh_unreachable(daemon->mesh, &address, clock_now_ns());
}

static void socket_turned(void *context)
{
    peers_events(context); /* what is to be sent goes out before the loop sleeps */
}

int peers_start(struct daemon *daemon)
{
    struct udp_handler handler = {
        .context = daemon, .datagram = got_datagram, .unreachable = got_unreachable};
    return udp_start(daemon->udp, daemon->loop, &handler, socket_turned);
}

/* ---- from the mesh ---- */

static void frame_event(struct daemon *daemon, struct mesh_event *happened)
{
    struct event event = {.kind = EVENT_PEER_FRAME,
                          .peer = happened->peer,
                          .source = happened->source,
                          .destination = happened->destination};
    if (frame_from_raw(happened->payload, &event.frame) < 0) {
        log_line(daemon->log, LOG_LEVEL_WARN, "host %llx: sent bytes that are no frame; dropped",
                 (unsigned long long)happened->peer);
        mesh_flow_consume(daemon->mesh, happened->peer, happened->source, happened->destination,
                          happened->payload.length, clock_now_ns());
        return;
    }
    daemon_event(daemon, &event);
    frame_drop(&event.frame);
}

static const enum event_kind kinds_of_mesh[] = {
    [MESH_UP] = EVENT_PEER_UP,
    [MESH_DOWN] = EVENT_PEER_DOWN,
    [MESH_CONTROL] = EVENT_PEER_MESSAGE,
    [MESH_FLOW_FRAME] = EVENT_PEER_FRAME,
    [MESH_FLOW_ACKED] = EVENT_PEER_ACKED,
    [MESH_FLOW_RESET] = EVENT_PEER_RESET,
    [MESH_NOTE] = EVENT_PEER_NOTE,
    [MESH_TOMBSTONE] = EVENT_PEER_TOMBSTONE,
    [MESH_SESSION] = EVENT_PEER_SESSION,
};

void peers_events(struct daemon *daemon)
{
    struct mesh_event happened;
    while (mesh_next_event(daemon->mesh, &happened)) {
        if (happened.kind == MESH_DOWN && daemon->stopping)
            map_remove(&daemon->peers, happened.peer);
        if (happened.kind == MESH_SESSION)
            fate_session_changed(daemon, happened.peer);
        if (happened.kind == MESH_FLOW_FRAME) {
            frame_event(daemon, &happened);
        } else {
            struct event event = {.kind = kinds_of_mesh[happened.kind],
                                  .peer = happened.peer,
                                  .source = happened.source,
                                  .destination = happened.destination,
                                  .count = happened.bytes,
                                  .text = happened.reason,
                                  .bytes = happened.payload};
            daemon_event(daemon, &event);
        }
        slice_drop(&happened.payload);
    }
}

/* ---- to the network ---- */

bool peers_flush(struct daemon *daemon)
{
    for (;;) {
        uint8_t *place;
        size_t length = 0;
        uint64_t now_ns = clock_now_ns();
        while ((place = udp_place(daemon->udp)) != NULL) {
            struct mesh_address to;
            length = mesh_pull(daemon->mesh, &to, place, now_ns);
            if (length == 0)
                break;
            struct net_address address = address_from_mesh(&to);
            udp_add(daemon->udp, &address, length);
        }
        if (!udp_flush(daemon->udp))
            return false;
        if (length == 0)
            return true;
    }
}

bool peers_are_flushed(const struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->peers.count; i++)
        if (mesh_peer_unacked_bytes(daemon->mesh, daemon->peers.entries[i].key) > 0)
            return false;
    return true;
}

void peers_say_goodbye(struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->peers.count; i++)
        mesh_peer_remove(daemon->mesh, daemon->peers.entries[i].key, true, clock_now_ns());
    peers_flush(daemon);
}

void peers_drop(struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->peers.count; i++)
        mesh_peer_remove(daemon->mesh, daemon->peers.entries[i].key, false, clock_now_ns());
    map_fini(&daemon->peers);
    map_init(&daemon->peers);
}

/* ---- effects ---- */

void perform_peer_add(struct daemon *daemon, struct effect *effect)
{
    struct mesh_address addresses[MESH_ADDRESSES_MAX];
    struct mesh_peer_config config = {.peer = effect->peer,
                                      .self = effect->self,
                                      .psk_epoch = effect->psk_epoch,
                                      .addresses = addresses};
    for (size_t i = 0; i < effect->address_count && config.address_count < MESH_ADDRESSES_MAX; i++)
        if (address_from_wire(&effect->addresses[i], &addresses[config.address_count]) == 0)
            config.address_count++;
    memcpy(config.public_key, effect->public_key, sizeof(config.public_key));
    memcpy(config.psk, effect->psk, sizeof(config.psk));
    if (map_put(&daemon->peers, effect->peer, daemon) < 0 ||
        mesh_peer_add(daemon->mesh, &config, clock_now_ns()) < 0)
        log_line(daemon->log, LOG_LEVEL_ERROR, "host %llx: no memory for a link to it",
                 (unsigned long long)effect->peer);
}

void perform_peer_psk(struct daemon *daemon, struct effect *effect)
{
    mesh_peer_set_psk(daemon->mesh, effect->peer, effect->psk, effect->psk_epoch, clock_now_ns());
}

void perform_peer_remove(struct daemon *daemon, struct effect *effect)
{
    mesh_peer_remove(daemon->mesh, effect->peer, effect->flag, clock_now_ns());
    map_remove(&daemon->peers, effect->peer);
    /* It may have been one of this machine, without a guardian to give on what it had. */
    if (!daemon->stopping)
        (void)dir_claim_here(daemon->dir, false);
}

static void could_not_send(struct daemon *daemon, const struct effect *effect)
{
    /* Nothing may be missing between two daemons that both live (promise 1). */
    if (map_get(&daemon->peers, effect->peer))
        daemon_give_up(daemon, "no memory to send to another host");
}

void perform_peer_send(struct daemon *daemon, struct effect *effect)
{
    if (mesh_send_control(daemon->mesh, effect->peer, effect->bytes.data, effect->bytes.length,
                          clock_now_ns()) < 0)
        could_not_send(daemon, effect);
}

void perform_peer_note(struct daemon *daemon, struct effect *effect)
{
    /* Lost like any other when it cannot be sent. */
    (void)mesh_send_note(daemon->mesh, effect->peer, effect->bytes.data, effect->bytes.length,
                         clock_now_ns());
}

void perform_peer_frame(struct daemon *daemon, struct effect *effect)
{
    const struct frame *frame = &effect->frame;
    uint8_t header[FRAME_HEADER_BYTES];
    size_t header_length = 0;
    if (!frame->raw.buf) {
        frame_header_encode(frame, header);
        header_length = sizeof(header);
    }
    if (mesh_flow_write_headed(daemon->mesh, effect->peer, frame->source, frame->destination,
                               header, header_length, header_length ? frame->body : frame->raw,
                               clock_now_ns()) < 0)
        could_not_send(daemon, effect);
}

void perform_peer_consume(struct daemon *daemon, struct effect *effect)
{
    const struct origin *origin = &effect->origin;
    mesh_flow_consume(daemon->mesh, origin->peer, origin->source, origin->destination,
                      effect->count, clock_now_ns());
}

void perform_peer_reset(struct daemon *daemon, struct effect *effect)
{
    const struct origin *origin = &effect->origin;
    mesh_flow_reset(daemon->mesh, origin->peer, origin->source, origin->destination,
                    clock_now_ns());
}
