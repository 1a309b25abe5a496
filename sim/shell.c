/* SPDX-License-Identifier: BSD-3-Clause */
/* Events in, effects performed by a table, the mesh fed and pulled: see the header. How effects
 * that concern hosts to come are performed: starter.c. */
#include "sim/shell.h"

#include "base/mem.h"
#include "core/status.h"
#include "sim/proc.h"
#include "sim/starter.h"
#include "sim/world.h"

#include <string.h>

enum {
    RECEIVE_BATCH = 16,         /* datagrams read before the daemon does anything else */
    RECEIVE_NS = 3000,          /* what a datagram costs it, and each byte of it */
    RECEIVE_BYTE_NS = 1,
    TIMER_TURNS_MAX = 1000      /* at one moment of virtual time */
};

#define WALL_CLOCK_US UINT64_C(1700000000000000)

/* ---- events ---- */

/* An event for later, with the memory it needs until then. */
struct happening {
    struct sim_event event;
    uint64_t life;
    struct event core;
};

static void happening_cancel(struct sim_event *event)
{
    struct happening *happening = CONTAINER_OF(event, struct happening, event);
    slice_drop(&happening->core.bytes);
    frame_drop(&happening->core.frame);
    mem_free(happening);
}

static void happening_run(struct sim_world *world, struct sim_event *event)
{
    struct happening *happening = CONTAINER_OF(event, struct happening, event);
    struct event core = happening->core;
    struct sim_host *host = event->host;
    if (happening->life != host->life) {
        happening_cancel(event);
        return;
    }
    mem_free(happening);
    sim_host_step(host, &core);
}

void sim_host_step_later(struct sim_host *host, const struct event *event, uint64_t delay_ns)
{
    struct happening *happening = mem_calloc(1, sizeof(*happening));
    CHECK(happening);
    happening->core = *event;
    happening->life = host->life;
    sim_event_init(&happening->event, host, happening_run, happening_cancel);
    sim_after(host->world, &happening->event, delay_ns);
}

static const char *peer_name(const struct sim_host *host, uint64_t epoch)
{
    const struct sim_host *peer = sim_host_of_epoch(host->world, epoch);
    return peer ? peer->name : "?";
}

static void tell_message(struct sim_host *host, const struct event *event, const char *sign)
{
    struct sim_trace *trace = &host->world->trace;
    struct message message;
    struct strbuf text;
    sim_trace_mix_bytes(trace, event->bytes.data, event->bytes.length);
    if (!sim_trace_is_shown(trace, SIM_TRACE_DM))
        return;
    arena_reset(&host->world->arena);
    strbuf_init(&text);
    if (message_decode(event->bytes.data, event->bytes.length, &host->world->arena, &message) == 0)
        message_describe(&message, &text);
    else
        strbuf_addf(&text, "%zu bytes that are no message", event->bytes.length);
    SIM_TELL(host->world, SIM_TRACE_DM, host->name, "%s %-5s %s", sign,
             peer_name(host, event->peer), strbuf_text(&text));
    strbuf_fini(&text);
}

static void tell_link(struct sim_host *host, const struct event *event, const char *what)
{
    SIM_TELL(host->world, SIM_TRACE_LINK, host->name, "link to %s is %s%s%s",
             peer_name(host, event->peer), what, event->text ? ": " : "",
             event->text ? event->text : "");
}

static void tell_event(struct sim_host *host, const struct event *event)
{
    struct sim_world *world = host->world;
    const char *text = event->text ? event->text : "";
    sim_trace_mix(&world->trace, (uint64_t)event->kind << 32 | host->serial, world->now_ns);
    switch (event->kind) {
    case EVENT_PEER_UP:
        tell_link(host, event, "up");
        break;
    case EVENT_PEER_DOWN:
        tell_link(host, event, "down");
        break;
    case EVENT_PEER_MESSAGE:
        tell_message(host, event, "<");
        break;
    case EVENT_PEER_NOTE:
        tell_message(host, event, "(");
        break;
    case EVENT_PEER_TOMBSTONE:
        SIM_TELL(world, SIM_TRACE_HOST, host->name, "gets the tombstone of %s",
                 peer_name(host, event->peer));
        break;
    case EVENT_HOST_STARTED:
        if (event->status)
            SIM_TELL(world, SIM_TRACE_HOST, host->name, "start failed (%d): %s", (int)event->status,
                     text);
        else
            SIM_TELL(world, SIM_TRACE_HOST, host->name, "start answered");
        break;
    case EVENT_STOP:
        SIM_TELL(world, SIM_TRACE_HOST, host->name, "is told to stop");
        break;
    default:
        break;
    }
}

static void perform(struct sim_host *host);

void sim_host_step(struct sim_host *host, struct event *event)
{
    if (sim_host_is_running(host) && !host->stopping) {
        event->now_ns = sim_host_now(host);
        event->wall_clock_us = WALL_CLOCK_US + host->world->now_ns / 1000;
        tell_event(host, event);
        effects_reset(&host->world->effects);
        node_step(host->node, event, &host->world->effects);
        perform(host);
        sim_promise_stepped(host->world, host);
    }
    slice_drop(&event->bytes);
    frame_drop(&event->frame);
    if (host->rejoins && sim_host_is_running(host))
        sim_host_rejoin(host);
    if (sim_host_is_running(host))
        sim_host_settle(host);
}

/* ---- effects ---- */

static void to_mesh_addresses(const struct wire_address *from, size_t count,
                              struct mesh_address *to, size_t *to_count)
{
    *to_count = 0;
    for (size_t i = 0; i < count && *to_count < MESH_ADDRESSES_MAX; i++) {
        if (from[i].ip.length != 16)
            continue;
        struct mesh_address *address = &to[(*to_count)++];
        *address = (struct mesh_address){.port = from[i].port, .scope_id = from[i].scope_id};
        memcpy(address->ip, from[i].ip.data, 16);
    }
}

static void perform_peer_add(struct sim_host *host, struct effect *effect)
{
    struct mesh_address addresses[MESH_ADDRESSES_MAX];
    struct mesh_peer_config config = {.peer = effect->peer, .self = effect->self,
                                      .psk_epoch = effect->psk_epoch, .addresses = addresses};
    to_mesh_addresses(effect->addresses, effect->address_count, addresses, &config.address_count);
    memcpy(config.public_key, effect->public_key, sizeof(config.public_key));
    memcpy(config.psk, effect->psk, sizeof(config.psk));
    if (mesh_peer_add(host->mesh, &config, sim_host_now(host)) < 0)
        sim_promise_broken(host->world, "%s: peer %s added twice", host->name,
                           peer_name(host, effect->peer));
}

static void perform_peer_psk(struct sim_host *host, struct effect *effect)
{
    mesh_peer_set_psk(host->mesh, effect->peer, effect->psk, effect->psk_epoch,
                      sim_host_now(host));
}

static void perform_peer_remove(struct sim_host *host, struct effect *effect)
{
    sim_promise_dropped(host->world, host, effect->peer);
    mesh_peer_remove(host->mesh, effect->peer, effect->flag, sim_host_now(host));
}

static void perform_peer_send(struct sim_host *host, struct effect *effect)
{
    mesh_send_control(host->mesh, effect->peer, effect->bytes.data, effect->bytes.length,
                      sim_host_now(host));
}

static void perform_peer_note(struct sim_host *host, struct effect *effect)
{
    mesh_send_note(host->mesh, effect->peer, effect->bytes.data, effect->bytes.length,
                   sim_host_now(host));
}

static void perform_peer_frame(struct sim_host *host, struct effect *effect)
{
    uint8_t header[FRAME_HEADER_BYTES];
    const struct frame *frame = &effect->frame;
    frame_header_encode(frame, header);
    mesh_flow_write_headed(host->mesh, effect->peer, frame->source, frame->destination, header,
                           sizeof(header), frame->body, sim_host_now(host));
}

static void perform_peer_consume(struct sim_host *host, struct effect *effect)
{
    const struct origin *origin = &effect->origin;
    mesh_flow_consume(host->mesh, origin->peer, origin->source, origin->destination, effect->count,
                      sim_host_now(host));
}

static void perform_peer_reset(struct sim_host *host, struct effect *effect)
{
    const struct origin *origin = &effect->origin;
    mesh_flow_reset(host->mesh, origin->peer, origin->source, origin->destination,
                    sim_host_now(host));
}

static void perform_conn_send(struct sim_host *host, struct effect *effect)
{
    struct sim_conn *conn = map_get(&host->conns, effect->conn);
    if (conn)
        sim_conn_send(conn, &effect->frame, &effect->origin);
}

static void perform_conn_pause(struct sim_host *host, struct effect *effect)
{
    struct sim_conn *conn = map_get(&host->conns, effect->conn);
    if (conn)
        sim_conn_pause(conn, effect->flag);
}

static void perform_conn_close(struct sim_host *host, struct effect *effect)
{
    struct sim_conn *conn = map_get(&host->conns, effect->conn);
    if (conn)
        sim_conn_close(conn);
}

/* No task asks the daemon itself: there is no memory here. */
static void perform_share_attach(struct sim_host *host, struct effect *effect)
{
    struct event event = {.kind = EVENT_SHARE_ATTACHED, .conn = effect->conn,
                          .status = STATUS_NOT_IMPL};
    sim_host_step_later(host, &event, SIM_NS_PER_US);
}

static void perform_nothing(struct sim_host *host, struct effect *effect)
{
}

static void perform_child_start(struct sim_host *host, struct effect *effect)
{
    sim_child_start(host, effect->ticket, &effect->child);
}

static void perform_child_signal(struct sim_host *host, struct effect *effect)
{
    struct sim_proc *proc = sim_proc_find(host, effect->pid);
    if (proc)
        sim_proc_signal(proc, effect->signal);
}

static void perform_child_pause(struct sim_host *host, struct effect *effect)
{
    struct sim_proc *proc = sim_proc_of_ticket(host, effect->ticket);
    if (proc)
        sim_proc_pause_output(proc, effect->flag);
}

static void perform_configure(struct sim_host *host, struct effect *effect)
{
    SIM_TELL(host->world, SIM_TRACE_HOST, host->name, "configured: path \"%s\" directory \"%s\"",
             effect->text ? effect->text : "", effect->text2 ? effect->text2 : "");
}

static void perform_tombstones(struct sim_host *host, struct effect *effect)
{
    sim_guard_set_tombstones(host, effect->peers, effect->peer_count);
}

static void perform_lease(struct sim_host *host, struct effect *effect)
{
    sim_guard_set_lease(host, effect->until_ns);
}

/* After the list: what is in it was meant for the old life. */
static void perform_rejoin(struct sim_host *host, struct effect *effect)
{
    host->rejoins = true;
}

static void perform_stop(struct sim_host *host, struct effect *effect)
{
    sim_host_stop(host, effect->status);
}

typedef void (*perform_f)(struct sim_host *host, struct effect *effect);

static const perform_f performers[EFFECT_KINDS] = {
    [EFFECT_PEER_ADD] = perform_peer_add,
    [EFFECT_PEER_PSK] = perform_peer_psk,
    [EFFECT_PEER_REMOVE] = perform_peer_remove,
    [EFFECT_PEER_SEND] = perform_peer_send,
    [EFFECT_PEER_NOTE] = perform_peer_note,
    [EFFECT_PEER_FRAME] = perform_peer_frame,
    [EFFECT_PEER_CONSUME] = perform_peer_consume,
    [EFFECT_PEER_RESET] = perform_peer_reset,
    [EFFECT_CONN_SEND] = perform_conn_send,
    [EFFECT_CONN_PAUSE] = perform_conn_pause,
    [EFFECT_CONN_CLOSE] = perform_conn_close,
    [EFFECT_SHARE_ATTACH] = perform_share_attach,
    [EFFECT_SHARE_PAUSE] = perform_nothing,
    [EFFECT_SHARE_WAKE] = perform_nothing,
    [EFFECT_SHARE_END] = perform_nothing,
    [EFFECT_CHILD_START] = perform_child_start,
    [EFFECT_CHILD_SIGNAL] = perform_child_signal,
    [EFFECT_CHILD_PAUSE] = perform_child_pause,
    [EFFECT_RESOLVE] = sim_perform_resolve,
    [EFFECT_HOST_START] = sim_perform_host_start,
    [EFFECT_HOST_CANCEL] = sim_perform_host_cancel,
    [EFFECT_CONFIGURE] = perform_configure,
    [EFFECT_TOMBSTONES] = perform_tombstones,
    [EFFECT_LEASE] = perform_lease,
    [EFFECT_REJOIN] = perform_rejoin,
    [EFFECT_STOP] = perform_stop,
};

static void perform(struct sim_host *host)
{
    for (size_t i = 0; i < host->world->effects.count; i++) {
        struct effect *effect = &host->world->effects.items[i];
        sim_trace_mix(&host->world->trace, (uint64_t)effect->kind << 40 | host->serial, i);
        performers[effect->kind](host, effect);
    }
}

/* ---- the mesh ---- */

static void mesh_frame_step(struct sim_host *host, struct mesh_event *happened)
{
    struct event event = {.kind = EVENT_PEER_FRAME, .peer = happened->peer,
                          .source = happened->source, .destination = happened->destination};
    const size_t length = happened->payload.length;
    const int result = frame_from_raw(happened->payload, &event.frame);
    slice_drop(&happened->payload);
    if (result < 0) {
        host->bad_frames++;
        mesh_flow_consume(host->mesh, happened->peer, happened->source, happened->destination,
                          length, sim_host_now(host));
        return;
    }
    sim_host_step(host, &event);
}

static const enum event_kind kinds_of_mesh[] = {
    [MESH_UP] = EVENT_PEER_UP,           [MESH_DOWN] = EVENT_PEER_DOWN,
    [MESH_CONTROL] = EVENT_PEER_MESSAGE, [MESH_FLOW_FRAME] = EVENT_PEER_FRAME,
    [MESH_FLOW_ACKED] = EVENT_PEER_ACKED, [MESH_FLOW_RESET] = EVENT_PEER_RESET,
    [MESH_NOTE] = EVENT_PEER_NOTE,       [MESH_TOMBSTONE] = EVENT_PEER_TOMBSTONE,
    [MESH_SESSION] = EVENT_PEER_SESSION,
};

static void set_timer(struct sim_host *host, struct sim_event *timer, uint64_t deadline_ns)
{
    if (deadline_ns == UINT64_MAX)
        sim_forget(host->world, timer);
    else
        sim_at(host->world, timer, sim_clock_world(&host->clock, deadline_ns));
}

/* sim_host_step() ends here, and steps again for what the mesh tells: |settling| makes a loop of
 * it. */
void sim_host_settle(struct sim_host *host)
{
    static _Thread_local uint8_t bytes[MESH_DATAGRAM_BYTES_MAX];
    if (host->settling)
        return;
    host->settling = true;
    struct mesh_event happened;
    while (sim_host_is_running(host) && mesh_next_event(host->mesh, &happened)) {
        if (happened.kind == MESH_FLOW_FRAME) {
            mesh_frame_step(host, &happened);
            continue;
        }
        host->guard.is_stale |= happened.kind == MESH_SESSION;
        struct event event = {.kind = kinds_of_mesh[happened.kind], .peer = happened.peer,
                              .source = happened.source, .destination = happened.destination,
                              .count = happened.bytes, .text = happened.reason,
                              .bytes = happened.payload};
        sim_host_step(host, &event);
    }
    struct mesh_address to;
    size_t length;
    while ((length = mesh_pull(host->mesh, &to, bytes, sim_host_now(host))) > 0)
        sim_net_send(host->world, host, &to, bytes, length);
    sim_guard_renew(host);
    set_timer(host, &host->mesh_timer, mesh_deadline(host->mesh));
    const bool idle = host->stopping || !host->node;
    set_timer(host, &host->node_timer, idle ? UINT64_MAX : node_deadline(host->node));
    host->settling = false;
}

/* A deadline that stays in the past after it was served would stop the time for ever. */
static bool timer_spins(struct sim_world *world, struct sim_host *host, const char *whose)
{
    host->timer_turns = host->timer_at_ns == world->now_ns ? host->timer_turns + 1 : 0;
    host->timer_at_ns = world->now_ns;
    if (host->timer_turns < TIMER_TURNS_MAX)
        return false;
    sim_promise_broken(world, "%s: the %s asks for the same time again and again", host->name,
                       whose);
    sim_host_crash(host);
    return true;
}

static void node_timer_run(struct sim_world *world, struct sim_event *event)
{
    if (timer_spins(world, event->host, "node"))
        return;
    struct event core = {.kind = EVENT_DEADLINE};
    sim_host_step(event->host, &core);
}

static void mesh_timer_run(struct sim_world *world, struct sim_event *event)
{
    if (timer_spins(world, event->host, "mesh"))
        return;
    mesh_expire(event->host->mesh, sim_host_now(event->host));
    sim_host_settle(event->host);
}

void sim_host_receive(struct sim_world *world, struct sim_host *host,
                      const struct mesh_address *from, const uint8_t *bytes, size_t length)
{
    host->busy_until_ns = MAX_OF(host->busy_until_ns, world->now_ns) + RECEIVE_NS +
                          RECEIVE_BYTE_NS * (uint64_t)length;
    mesh_receive(host->mesh, from, bytes, length, sim_host_now(host));
}

static void receive_turn(struct sim_world *world, struct sim_event *event)
{
    struct sim_host *host = event->host;
    for (int i = 0; i < RECEIVE_BATCH && sim_socket_read(world, host); i++)
        ;
    sim_host_settle(host);
    if (host->socket.count && sim_host_is_running(host))
        sim_at(world, &host->receive_turn, host->busy_until_ns);
}

void sim_host_socket_readable(struct sim_world *world, struct sim_host *host)
{
    if (host->receive_turn.heap.position == HEAP_NOT_QUEUED &&
        list_is_empty(&host->receive_turn.held))
        sim_at(world, &host->receive_turn, host->busy_until_ns);
}

void sim_shell_init(struct sim_host *host)
{
    sim_event_init(&host->receive_turn, host, receive_turn, NULL);
    sim_event_init(&host->node_timer, host, node_timer_run, NULL);
    sim_event_init(&host->mesh_timer, host, mesh_timer_run, NULL);
}

void sim_shell_fini(struct sim_host *host)
{
    sim_forget(host->world, &host->receive_turn);
    sim_forget(host->world, &host->node_timer);
    sim_forget(host->world, &host->mesh_timer);
}
