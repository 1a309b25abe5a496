/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shell of one simulated daemon: events in, effects performed by a table, the mesh fed and
 * pulled. How effects that concern hosts to come are performed: starter.c.
 */
#include "sim/host.h"

#include "base/mem.h"
#include "core/status.h"
#include "sim/proc.h"
#include "sim/starter.h"
#include "sim/world.h"

#include "link/toycrypto.h"

#include <string.h>

enum {
    RECEIVE_BATCH = 16,         /* datagrams read before the daemon does anything else */
    RECEIVE_NS = 3000,          /* what a datagram costs it, and each byte of it */
    RECEIVE_BYTE_NS = 1,
    STOP_FLUSH_MS = 1000,
    STOP_CHECK_MS = 10,
    TIMER_TURNS_MAX = 1000      /* at one moment of virtual time */
};

#define WALL_CLOCK_US UINT64_C(1700000000000000)

static void host_settle(struct sim_host *host);

/* ---- events ---- */

/* An event for later, with the memory it needs until then. */
struct happening {
    struct sim_event event;
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
    mem_free(happening);
    sim_host_step(host, &core);
}

void sim_host_step_later(struct sim_host *host, const struct event *event, uint64_t delay_ns)
{
    struct happening *happening = mem_calloc(1, sizeof(*happening));
    CHECK(happening);
    happening->core = *event;
    sim_event_init(&happening->event, host, happening_run, happening_cancel);
    sim_after(host->world, &happening->event, delay_ns);
}

static const char *peer_name(const struct sim_host *host, uint64_t epoch)
{
    LIST_EACH(pos, following, &host->world->hosts) {
        const struct sim_host *other = LIST_ENTRY(pos, struct sim_host, link);
        if (other->epoch == epoch)
            return other->name;
    }
    return "?";
}

static void tell_message(struct sim_host *host, const struct event *event)
{
    struct message message;
    struct strbuf text;
    arena_reset(&host->arena);
    strbuf_init(&text);
    if (message_decode(event->bytes.data, event->bytes.length, &host->arena, &message) == 0)
        message_describe(&message, &text);
    else
        strbuf_addf(&text, "%zu bytes that are no message", event->bytes.length);
    SIM_TELL(host->world, SIM_TRACE_DM, host->name, "< %-5s %s", peer_name(host, event->peer),
             strbuf_text(&text));
    strbuf_fini(&text);
}

static void tell_event(struct sim_host *host, const struct event *event)
{
    struct sim_world *world = host->world;
    const char *text = event->text ? event->text : "";
    sim_trace_mix(&world->trace, (uint64_t)event->kind << 32 | host->serial, world->now_ns);
    switch (event->kind) {
    case EVENT_PEER_UP:
        SIM_TELL(world, SIM_TRACE_HOST, host->name, "link to %s is up",
                 peer_name(host, event->peer));
        break;
    case EVENT_PEER_DOWN:
        SIM_TELL(world, SIM_TRACE_HOST, host->name, "link to %s is down: %s",
                 peer_name(host, event->peer), text);
        break;
    case EVENT_PEER_MESSAGE:
        tell_message(host, event);
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
        event->now_ns = host->world->now_ns;
        event->wall_clock_us = WALL_CLOCK_US + event->now_ns / 1000;
        tell_event(host, event);
        effects_reset(&host->effects);
        node_step(host->node, event, &host->effects);
        perform(host);
    }
    slice_drop(&event->bytes);
    frame_drop(&event->frame);
    if (sim_host_is_running(host))
        host_settle(host);
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
    struct mesh_peer_config config = {.peer = effect->peer, .self = host->epoch,
                                      .psk_epoch = effect->psk_epoch, .addresses = addresses};
    to_mesh_addresses(effect->addresses, effect->address_count, addresses, &config.address_count);
    memcpy(config.public_key, effect->public_key, sizeof(config.public_key));
    memcpy(config.psk, effect->psk, sizeof(config.psk));
    if (mesh_peer_add(host->mesh, &config, host->world->now_ns) < 0)
        sim_promise_broken(host->world, "%s: peer %s added twice", host->name,
                           peer_name(host, effect->peer));
}

static void perform_peer_psk(struct sim_host *host, struct effect *effect)
{
    mesh_peer_set_psk(host->mesh, effect->peer, effect->psk, effect->psk_epoch,
                      host->world->now_ns);
}

static void perform_peer_remove(struct sim_host *host, struct effect *effect)
{
    SIM_TELL(host->world, SIM_TRACE_HOST, host->name, "drops %s", peer_name(host, effect->peer));
    mesh_peer_remove(host->mesh, effect->peer, effect->flag, host->world->now_ns);
}

static void perform_peer_send(struct sim_host *host, struct effect *effect)
{
    mesh_send_control(host->mesh, effect->peer, effect->bytes.data, effect->bytes.length,
                      host->world->now_ns);
}

static void perform_peer_frame(struct sim_host *host, struct effect *effect)
{
    uint8_t header[FRAME_HEADER_BYTES];
    const struct frame *frame = &effect->frame;
    frame_header_encode(frame, header);
    mesh_flow_write_headed(host->mesh, effect->peer, frame->source, frame->destination, header,
                           sizeof(header), frame->body, host->world->now_ns);
}

static void perform_peer_consume(struct sim_host *host, struct effect *effect)
{
    const struct origin *origin = &effect->origin;
    mesh_flow_consume(host->mesh, origin->peer, origin->source, origin->destination, effect->count,
                      host->world->now_ns);
}

static void perform_peer_reset(struct sim_host *host, struct effect *effect)
{
    const struct origin *origin = &effect->origin;
    mesh_flow_reset(host->mesh, origin->peer, origin->source, origin->destination,
                    host->world->now_ns);
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

static void stop_turn(struct sim_world *world, struct sim_event *event);

static void perform_stop(struct sim_host *host, struct effect *effect)
{
    if (host->stopping)
        return;
    host->stopping = true;
    host->stop_status = effect->status;
    SIM_TELL(host->world, SIM_TRACE_HOST, host->name, "stops with status %d", (int)effect->status);
    sim_after(host->world, &host->stop_turn, 0);
}

typedef void (*perform_f)(struct sim_host *host, struct effect *effect);

static const perform_f performers[EFFECT_KINDS] = {
    [EFFECT_PEER_ADD] = perform_peer_add,
    [EFFECT_PEER_PSK] = perform_peer_psk,
    [EFFECT_PEER_REMOVE] = perform_peer_remove,
    [EFFECT_PEER_SEND] = perform_peer_send,
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
    [EFFECT_STOP] = perform_stop,
};

static void perform(struct sim_host *host)
{
    for (size_t i = 0; i < host->effects.count; i++) {
        struct effect *effect = &host->effects.items[i];
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
                          length, host->world->now_ns);
        return;
    }
    sim_host_step(host, &event);
}

static const enum event_kind kinds_of_mesh[] = {
    [MESH_UP] = EVENT_PEER_UP,           [MESH_DOWN] = EVENT_PEER_DOWN,
    [MESH_CONTROL] = EVENT_PEER_MESSAGE, [MESH_FLOW_FRAME] = EVENT_PEER_FRAME,
    [MESH_FLOW_ACKED] = EVENT_PEER_ACKED, [MESH_FLOW_RESET] = EVENT_PEER_RESET,
};

static void set_timer(struct sim_host *host, struct sim_event *timer, uint64_t deadline_ns)
{
    if (deadline_ns == UINT64_MAX)
        sim_forget(host->world, timer);
    else
        sim_at(host->world, timer, deadline_ns);
}

/* sim_host_step() ends here, and steps again for what the mesh tells: |settling| makes a loop of
 * it. */
static void host_settle(struct sim_host *host)
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
        struct event event = {.kind = kinds_of_mesh[happened.kind], .peer = happened.peer,
                              .source = happened.source, .destination = happened.destination,
                              .count = happened.bytes, .text = happened.reason,
                              .bytes = happened.payload};
        sim_host_step(host, &event);
    }
    struct mesh_address to;
    size_t length;
    while ((length = mesh_pull(host->mesh, &to, bytes, host->world->now_ns)) > 0)
        sim_net_send(host->world, host, &to, bytes, length);
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
    mesh_expire(event->host->mesh, world->now_ns);
    host_settle(event->host);
}

void sim_host_receive(struct sim_world *world, struct sim_host *host,
                      const struct mesh_address *from, const uint8_t *bytes, size_t length)
{
    host->busy_until_ns = MAX_OF(host->busy_until_ns, world->now_ns) + RECEIVE_NS +
                          RECEIVE_BYTE_NS * (uint64_t)length;
    mesh_receive(host->mesh, from, bytes, length, world->now_ns);
}

static void receive_turn(struct sim_world *world, struct sim_event *event)
{
    struct sim_host *host = event->host;
    for (int i = 0; i < RECEIVE_BATCH && sim_socket_read(world, host); i++)
        ;
    host_settle(host);
    if (host->socket.count && sim_host_is_running(host))
        sim_at(world, &host->receive_turn, host->busy_until_ns);
}

void sim_host_socket_readable(struct sim_world *world, struct sim_host *host)
{
    if (host->receive_turn.heap.position == HEAP_NOT_QUEUED &&
        list_is_empty(&host->receive_turn.held))
        sim_at(world, &host->receive_turn, host->busy_until_ns);
}

/* ---- life ---- */

static void node_random(void *context, uint8_t *bytes, size_t length)
{
    struct sim_host *host = context;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)rng_next(&host->rng);
}

static void write_log(void *context, enum log_level level, const char *line)
{
    struct sim_host *host = context;
    SIM_TELL(host->world, SIM_TRACE_LOG, host->name, "%s: %s", log_level_name(level), line);
}

static int create_mesh(struct sim_host *host)
{
    const struct sim_settings *settings = &host->world->settings;
    host->crypto = toycrypto_create(rng_next(&host->rng));
    if (!host->crypto)
        return -1;
    struct mesh_config config = {
        .crypto = host->crypto,
        .mode = SEAL_ENCRYPT,
        .receive_buffer_bytes = settings->receive_buffer_bytes,
        .datagram_bytes_max = settings->datagram_bytes_max,
        .idle_probe_ns = settings->idle_probe_ns,
        .dead_after_ns = settings->dead_after_ns,
        .rekey_after_ns = settings->rekey_after_ns,
        .log = &host->log,
    };
    node_random(host, config.private_key, sizeof(config.private_key));
    host->mesh = mesh_create(&config, host->world->now_ns);
    return host->mesh ? 0 : -1;
}

struct sim_host *sim_host_create(struct sim_world *world, const char *name, const uint8_t *ip,
                                 uint64_t epoch)
{
    struct sim_host *host = mem_calloc(1, sizeof(*host));
    if (!host)
        return NULL;
    host->world = world;
    host->serial = ++world->serial;
    host->place = sim_net_place(&world->net, name);
    str_copy(host->name, sizeof(host->name), name);
    rng_split(&world->nodes, host->serial, &host->rng);
    host->epoch = epoch ? epoch : rng_next(&host->rng) | 1;
    host->address.port = (uint16_t)(40000 + host->serial % 20000);
    if (ip)
        memcpy(host->address.ip, ip, 16);
    else
        sim_net_address(host->place, host->address.ip);
    host->log = (struct log_sink){.write = write_log, .context = host, .level = LOG_LEVEL_INFO};
    host->next_conn = 1;
    host->next_pid = 1000;
    effects_init(&host->effects);
    arena_init(&host->arena);
    sim_socket_init(&host->socket);
    sim_event_init(&host->receive_turn, host, receive_turn, NULL);
    sim_event_init(&host->node_timer, host, node_timer_run, NULL);
    sim_event_init(&host->mesh_timer, host, mesh_timer_run, NULL);
    sim_event_init(&host->stop_turn, host, stop_turn, NULL);
    list_init(&host->held);
    list_init(&host->procs);
    map_init(&host->conns);
    map_init(&host->starts);
    list_push_back(&world->hosts, &host->link);
    if (create_mesh(host) < 0 || sim_net_bind(&world->net, &host->address, host) < 0) {
        sim_host_destroy(host);
        return NULL;
    }
    return host;
}

void sim_host_address(const struct sim_host *host, struct wire_address *address)
{
    *address = (struct wire_address){.ip = {host->address.ip, 16}, .port = host->address.port};
}

int sim_host_begin(struct sim_host *host, struct node_config *config)
{
    const struct sim_settings *settings = &host->world->settings;
    struct wire_address own;
    sim_host_address(host, &own);
    config->name = host->name;
    config->arch = SIM_ARCH;
    config->signature = SIM_SIGNATURE;
    config->speed = config->speed ? config->speed : 1000;
    config->epoch = host->epoch;
    memcpy(config->public_key, mesh_public_key(host->mesh), WIRE_KEY_BYTES);
    config->addresses = &own;
    config->address_count = 1;
    config->join_timeout_ns = settings->join_timeout_ns;
    config->flow_window_bytes = settings->flow_window_bytes;
    config->queue_bytes_max = settings->queue_bytes_max;
    config->tasks_max = settings->tasks_max;
    config->request_timeout_ns = settings->request_timeout_ns;
    config->shares_memory = settings->shares_memory != 0;
    config->random_bytes = node_random;
    config->random_context = host;
    config->log = &host->log;
    host->node = node_create(config);
    if (!host->node)
        return -1;
    host->tid = config->number << 18; /* CST-1 */
    SIM_TELL(host->world, SIM_TRACE_HOST, host->name, "starts%s",
             config->is_master ? " as master" : "");
    struct event event = {.kind = EVENT_START};
    sim_host_step_later(host, &event, 0);
    return 0;
}

struct sim_host *sim_host_create_master(struct sim_world *world, const char *name)
{
    struct sim_host *host = sim_host_create(world, name, NULL, 0);
    if (!host)
        return NULL;
    struct node_config config = {.is_master = true, .number = 1, .hostfile_name = "hostfile",
                                 .hostfile_text = world->settings.hostfile};
    if (sim_host_begin(host, &config) < 0) {
        sim_host_destroy(host);
        return NULL;
    }
    return host;
}

/* What held events were to do is not done; those with memory of their own free it. */
static void drop_held(struct sim_host *host)
{
    LIST_EACH(pos, following, &host->held) {
        struct sim_event *event = LIST_ENTRY(pos, struct sim_event, held);
        list_remove(pos);
        if (event->cancel)
            event->cancel(event);
    }
}

/* Ends the daemon; what is left in flight to it finds nobody. */
static void host_end(struct sim_host *host, enum sim_host_state state)
{
    struct sim_world *world = host->world;
    host->state = state;
    sim_net_unbind(&world->net, &host->address);
    sim_forget(world, &host->receive_turn);
    sim_forget(world, &host->node_timer);
    sim_forget(world, &host->mesh_timer);
    sim_forget(world, &host->stop_turn);
    node_destroy(host->node);
    mesh_destroy(host->mesh);
    host->node = NULL;
    host->mesh = NULL;
    toycrypto_destroy(host->crypto);
    host->crypto = NULL;
    sim_starts_fini(host);
    effects_fini(&host->effects);
    effects_init(&host->effects);
    sim_socket_fini(&host->socket);
    drop_held(host);
}

static bool links_are_flushed(const struct sim_host *host)
{
    LIST_EACH(pos, following, &host->world->hosts) {
        const struct sim_host *other = LIST_ENTRY(pos, struct sim_host, link);
        if (mesh_peer_unacked_bytes(host->mesh, other->epoch))
            return false;
    }
    return true;
}

static void stop_turn(struct sim_world *world, struct sim_event *event)
{
    struct sim_host *host = event->host;
    if (!host->stop_by_ns) {
        /* One more turn for those whose connections break now. */
        host->stop_by_ns = world->now_ns + STOP_FLUSH_MS * SIM_NS_PER_MS;
        sim_procs_orphan(host);
        sim_after(world, &host->stop_turn, STOP_CHECK_MS * SIM_NS_PER_MS);
        return;
    }
    if (!links_are_flushed(host) && world->now_ns < host->stop_by_ns) {
        sim_after(world, &host->stop_turn, STOP_CHECK_MS * SIM_NS_PER_MS);
        return;
    }
    LIST_EACH(pos, following, &world->hosts)
        mesh_peer_remove(host->mesh, LIST_ENTRY(pos, struct sim_host, link)->epoch, true,
                         world->now_ns);
    host_settle(host);
    host_end(host, SIM_HOST_STOPPED);
    SIM_TELL(world, SIM_TRACE_HOST, host->name, "is gone");
}

void sim_host_crash(struct sim_host *host)
{
    host->state = SIM_HOST_CRASHED;
    LIST_EACH(pos, following, &host->procs)
        sim_proc_destroy(LIST_ENTRY(pos, struct sim_proc, link));
    host_end(host, SIM_HOST_CRASHED);
    sim_conns_fini(host);
}

void sim_host_freeze(struct sim_host *host)
{
    host->frozen = host->doubtful = true;
}

void sim_host_thaw(struct sim_host *host)
{
    host->frozen = false;
    while (!list_is_empty(&host->held)) {
        struct list *first = list_first(&host->held);
        list_remove(first);
        sim_at(host->world, LIST_ENTRY(first, struct sim_event, held), host->world->now_ns);
    }
}

void sim_host_terminate(struct sim_host *host)
{
    struct event event = {.kind = EVENT_STOP, .signal = 15};
    sim_host_step(host, &event);
}

void sim_host_destroy(struct sim_host *host)
{
    if (host->state == SIM_HOST_RUNNING)
        sim_host_crash(host);
    /* Of a host that stopped: programs of users, which outlive the daemon. */
    LIST_EACH(pos, following, &host->procs)
        sim_proc_destroy(LIST_ENTRY(pos, struct sim_proc, link));
    sim_conns_fini(host);
    map_fini(&host->conns);
    map_fini(&host->starts);
    effects_fini(&host->effects);
    arena_fini(&host->arena);
    list_remove(&host->link);
    mem_free(host);
}
