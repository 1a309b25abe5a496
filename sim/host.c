/* SPDX-License-Identifier: BSD-3-Clause */
/* How a simulated host comes and goes: see the header. */
#include "sim/host.h"

#include "base/mem.h"
#include "sim/proc.h"
#include "sim/shell.h"
#include "sim/starter.h"
#include "sim/world.h"

#include "link/toycrypto.h"

#include <string.h>

enum {
    STOP_FLUSH_MS = 1000,
    STOP_CHECK_MS = 10,
    REJOIN_MS = 5,          /* until the processes of the old life are gone */
    CLOCK_AHEAD_S = 100000, /* at most, of the world's */
    STARVED_RUNS_MS = 5     /* out of every period, it runs so long */
};

/* ---- life ---- */

struct sim_host *sim_host_of_epoch(const struct sim_world *world, uint64_t epoch)
{
    return map_get(&world->epochs, epoch);
}

void sim_host_set_epoch(struct sim_host *host, uint64_t epoch)
{
    host->epoch = epoch;
    host->removed = false;
    host->applied = host->leads = 0;
    CHECK(map_put(&host->world->epochs, epoch, host) == 0);
}

static void node_random(void *context, uint8_t *bytes, size_t length)
{
    struct sim_host *host = context;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)rng_next(&host->rng);
}

static void write_log(void *context, enum log_level level, const char *line)
{
    struct sim_host *host = context;
    if (host->disk_full)
        return;
    SIM_TELL(host->world, SIM_TRACE_LOG, host->name, "%s: %s", log_level_name(level), line);
}

static int create_mesh(struct sim_host *host)
{
    const struct sim_settings *settings = &host->world->settings;
    struct mesh_config config = {
        .crypto = host->crypto,
        .mode = SEAL_ENCRYPT,
        .receive_buffer_bytes = settings->receive_buffer_bytes,
        .datagram_bytes_max = settings->datagram_bytes_max,
        .dead_after_ns = settings->dead_after_ns,
        .rekey_after_ns = settings->rekey_after_ns,
        .log = &host->log,
    };
    memcpy(config.private_key, host->private_key, sizeof(config.private_key));
    host->mesh = mesh_create(&config, sim_host_now(host));
    return host->mesh ? 0 : -1;
}

static void stop_turn(struct sim_world *world, struct sim_event *event);
static void starve_turn(struct sim_world *world, struct sim_event *event);

/* It was switched on some time ago, and nobody set its clock. */
static void set_clock(struct sim_host *host)
{
    struct sim_world *world = host->world;
    struct rng *rng = &world->clocks;
    const uint64_t drift_max = world->settings.drift_ppm_max;
    host->clock = (struct sim_clock){
        .world_ns = world->now_ns,
        .local_ns = world->now_ns + rng_below(rng, CLOCK_AHEAD_S * SIM_NS_PER_S),
        .drift_ppm = (int64_t)rng_below(rng, 2 * drift_max + 1) - (int64_t)drift_max,
    };
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
    set_clock(host);
    sim_host_set_epoch(host, epoch ? epoch : rng_next(&host->rng) | 1);
    if (ip)
        memcpy(host->address.ip, ip, 16);
    else
        sim_net_address(host->place, host->address.ip);
    host->address.port = sim_net_port(&world->net, host->address.ip,
                                      world->settings.same_address != 0);
    host->log = (struct log_sink){.write = write_log, .context = host, .level = LOG_LEVEL_INFO};
    host->next_conn = 1;
    host->next_pid = 1000;
    sim_socket_init(&host->socket);
    sim_shell_init(host);
    sim_guard_init(host);
    sim_event_init(&host->stop_turn, host, stop_turn, NULL);
    sim_event_init(&host->starve_turn, NULL, starve_turn, NULL);
    list_init(&host->held);
    list_init(&host->procs);
    map_init(&host->conns);
    map_init(&host->starts);
    list_push_back(&world->hosts, &host->link);
    node_random(host, host->private_key, sizeof(host->private_key));
    host->crypto = toycrypto_create(rng_next(&host->rng));
    if (!host->crypto || create_mesh(host) < 0 ||
        sim_net_bind(&world->net, &host->address, host) < 0) {
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
    config->dead_after_ns = settings->dead_after_ns;
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
             config->is_founder ? " as master" : "");
    struct event event = {.kind = EVENT_START};
    sim_host_step_later(host, &event, 0);
    return 0;
}

struct sim_host *sim_host_create_master(struct sim_world *world, const char *name)
{
    struct sim_host *host = sim_host_create(world, name, NULL, 0);
    if (!host)
        return NULL;
    struct node_config config = {.is_founder = true, .number = 1, .hostfile_name = "hostfile",
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
    sim_shell_fini(host);
    sim_forget(world, &host->stop_turn);
    sim_forget(world, &host->starve_turn);
    host->standstill = 0;
    node_destroy(host->node);
    mesh_destroy(host->mesh);
    host->node = NULL;
    host->mesh = NULL;
    toycrypto_destroy(host->crypto);
    host->crypto = NULL;
    sim_starts_fini(host);
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
                         sim_host_now(host));
    sim_host_settle(host);
    host_end(host, SIM_HOST_STOPPED);
    sim_guard_fini(host);
    SIM_TELL(world, SIM_TRACE_HOST, host->name, "is gone");
}

void sim_host_stop(struct sim_host *host, int32_t status)
{
    if (host->stopping)
        return;
    host->stopping = true;
    host->leaving = true;
    host->stop_status = status;
    sim_guard_set_lease(host, UINT64_MAX);
    SIM_TELL(host->world, SIM_TRACE_HOST, host->name, "stops with status %d", (int)status);
    sim_after(host->world, &host->stop_turn, 0);
}

void sim_host_crash(struct sim_host *host)
{
    host->state = SIM_HOST_CRASHED;
    LIST_EACH(pos, following, &host->procs)
        sim_proc_destroy(LIST_ENTRY(pos, struct sim_proc, link));
    host_end(host, SIM_HOST_CRASHED);
    sim_guard_fini(host);
    sim_conns_fini(host);
}

void sim_host_kill(struct sim_host *host)
{
    host_end(host, SIM_HOST_KILLED);
    sim_guard_daemon_died(host);
}

static bool may_run(const struct sim_host *host, const struct sim_event *event)
{
    return event->by_machine ? sim_host_has_power(host) : !host->standstill;
}

void sim_host_halt(struct sim_host *host, enum sim_standstill why)
{
    host->standstill |= why;
}

void sim_host_go_on(struct sim_host *host, enum sim_standstill why)
{
    struct list held;
    if (!(host->standstill & (uint32_t)why))
        return;
    host->troubled_ns = host->world->now_ns;
    host->standstill &= ~(uint32_t)why;
    if (sim_host_has_power(host))
        sim_guard_woke(host);
    if (!sim_host_is_running(host))
        return;
    list_init(&held);
    list_splice_back(&held, &host->held);
    LIST_EACH(pos, following, &held) {
        struct sim_event *event = LIST_ENTRY(pos, struct sim_event, held);
        list_remove(pos);
        if (may_run(host, event))
            sim_at(host->world, event, host->world->now_ns);
        else
            list_push_back(&host->held, &event->held);
    }
    if (!host->standstill)
        sim_conns_go_on(host);
}

/* It stands still until the last moments of each period. */
static void starve_turn(struct sim_world *world, struct sim_event *event)
{
    struct sim_host *host = CONTAINER_OF(event, struct sim_host, starve_turn);
    const bool rests = (host->standstill & SIM_STARVED) != 0;
    if (!sim_host_is_running(host))
        return;
    if (world->now_ns >= host->starve_until_ns) {
        sim_host_go_on(host, SIM_STARVED);
        return;
    }
    sim_after(world, event, rests ? STARVED_RUNS_MS * SIM_NS_PER_MS : host->starve_ns);
    if (rests)
        sim_host_go_on(host, SIM_STARVED);
    else
        sim_host_halt(host, SIM_STARVED);
}

void sim_host_starve(struct sim_host *host, uint64_t period_ns, uint64_t duration_ns)
{
    host->starve_ns = period_ns;
    host->starve_until_ns = host->world->now_ns + (period_ns ? duration_ns : 0);
    sim_after(host->world, &host->starve_turn, 0);
}

void sim_host_drift(struct sim_host *host, int64_t drift_ppm)
{
    sim_clock_drift(&host->clock, host->world->now_ns, drift_ppm);
    sim_host_settle(host);
    sim_guard_set_lease(host, host->guard.lease_ns);
}

void sim_host_terminate(struct sim_host *host)
{
    struct event event = {.kind = EVENT_STOP, .signal = 15};
    host->leaving = true;
    sim_host_step(host, &event);
}

/* What the processes of the old life had is gone with it; links are made anew under a new epoch. */
void sim_host_rejoin(struct sim_host *host)
{
    struct event start = {.kind = EVENT_START};
    host->rejoins = false;
    host->life++;
    sim_promise_gives_up(host->world, host);
    SIM_TELL(host->world, SIM_TRACE_HOST, host->name, "is no host any more and asks to join again");
    sim_procs_end(host);
    sim_starts_fini(host);
    sim_guard_set_tombstones(host, NULL, 0);
    sim_guard_set_lease(host, UINT64_MAX);
    mesh_destroy(host->mesh);
    CHECK(create_mesh(host) == 0);
    struct node *node = node_rejoin(host->node);
    CHECK(node);
    host->node = node;
    sim_host_set_epoch(host, node_epoch(node));
    sim_host_step_later(host, &start, REJOIN_MS * SIM_NS_PER_MS);
}

void sim_host_destroy(struct sim_host *host)
{
    if (host->state == SIM_HOST_RUNNING)
        sim_host_crash(host);
    /* Of a host that stopped: programs of users, which outlive the daemon. */
    LIST_EACH(pos, following, &host->procs)
        sim_proc_destroy(LIST_ENTRY(pos, struct sim_proc, link));
    sim_guard_fini(host);
    sim_conns_fini(host);
    map_fini(&host->conns);
    map_fini(&host->starts);
    list_remove(&host->link);
    mem_free(host);
}
