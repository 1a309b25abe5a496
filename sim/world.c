/* SPDX-License-Identifier: BSD-3-Clause */
/* The clock, the heap of events, the list of hosts: see the header. */
#include "sim/world.h"

#include "base/check.h"
#include "base/mem.h"
#include "sim/host.h"
#include "sim/proc.h"
#include "sim/task.h"

/* How often quiet is looked for, and how many times in a row it must be found: longer than any
 * delayed acknowledgement, so that nothing is merely waiting for its timer. */
enum { QUIET_CHECK_MS = 10, QUIET_CHECKS = 5 };

static void settings_init(struct sim_settings *settings)
{
    *settings = (struct sim_settings){
        .receive_buffer_bytes = 208 * 1024, /* net.core.rmem_default of Linux */
        .conn_buffer_bytes = 208 * 1024,
        .flow_window_bytes = 1024 * 1024,
        .queue_bytes_max = 64 * 1024 * 1024,
        .dead_after_ns = 5 * SIM_NS_PER_S,
        .rekey_after_ns = 3600 * SIM_NS_PER_S,
        .join_timeout_ns = 300 * SIM_NS_PER_S,
        .tasks_max = 0,
        .datagram_bytes_max = 1472,
        .hostfile = "",
    };
}

struct sim_world *sim_world_create(uint64_t seed)
{
    struct sim_world *world = mem_calloc(1, sizeof(*world));
    if (!world)
        return NULL;
    struct rng master;
    rng_seed(&master, seed);
    rng_split(&master, SIM_STREAM_WIRE, &world->wire);
    rng_split(&master, SIM_STREAM_FAULTS, &world->faults_rng);
    rng_split(&master, SIM_STREAM_WORKLOAD, &world->workload);
    rng_split(&master, SIM_STREAM_NODES, &world->nodes);
    rng_split(&master, SIM_STREAM_CLOCKS, &world->clocks);
    world->seed = seed;
    world->now_ns = SIM_NS_PER_MS; /* 0 means "never" in too many places to be a time */
    heap_init(&world->heap);
    effects_init(&world->effects);
    arena_init(&world->arena);
    list_init(&world->hosts);
    map_init(&world->epochs);
    settings_init(&world->settings);
    sim_trace_init(&world->trace);
    sim_net_init(&world->net);
    sim_faults_init(&world->faults);
    sim_promises_init(&world->promises);
    return world;
}

static void cancel_event(struct sim_event *event)
{
    if (event->cancel)
        event->cancel(event);
}

void sim_world_destroy(struct sim_world *world)
{
    if (!world)
        return;
    LIST_EACH(pos, following, &world->hosts)
        sim_host_destroy(LIST_ENTRY(pos, struct sim_host, link));
    struct heap_node *first;
    while ((first = heap_first(&world->heap))) {
        heap_remove(&world->heap, first);
        cancel_event(CONTAINER_OF(first, struct sim_event, heap));
    }
    heap_fini(&world->heap);
    map_fini(&world->epochs);
    effects_fini(&world->effects);
    arena_fini(&world->arena);
    sim_promises_fini(&world->promises);
    sim_faults_fini(&world->faults);
    sim_net_fini(&world->net);
    sim_trace_fini(&world->trace);
    mem_free(world);
}

void sim_event_init(struct sim_event *event, struct sim_host *host,
                    void (*run)(struct sim_world *, struct sim_event *),
                    void (*cancel)(struct sim_event *))
{
    *event = (struct sim_event){.host = host, .run = run, .cancel = cancel};
    heap_node_init(&event->heap);
    list_init(&event->held);
}

void sim_at(struct sim_world *world, struct sim_event *event, uint64_t at_ns)
{
    list_remove(&event->held);
    CHECK(heap_set(&world->heap, &event->heap, MAX_OF(at_ns, world->now_ns)) == 0);
}

void sim_after(struct sim_world *world, struct sim_event *event, uint64_t delay_ns)
{
    sim_at(world, event, world->now_ns + delay_ns);
}

void sim_forget(struct sim_world *world, struct sim_event *event)
{
    list_remove(&event->held);
    heap_remove(&world->heap, &event->heap);
}

bool sim_step(struct sim_world *world, uint64_t until_ns)
{
    struct heap_node *first = heap_first(&world->heap);
    if (!first || first->key > until_ns) {
        world->now_ns = MAX_OF(world->now_ns, until_ns);
        return false;
    }
    CHECK(first->key >= world->now_ns);
    world->now_ns = first->key;
    world->events_run++;
    heap_remove(&world->heap, first);
    struct sim_event *event = CONTAINER_OF(first, struct sim_event, heap);
    struct sim_host *host = event->host;
    if (host && host->state != SIM_HOST_RUNNING)
        cancel_event(event);
    else if (host && (event->by_machine ? !sim_host_has_power(host) : host->standstill != 0))
        list_push_back(&host->held, &event->held);
    else
        event->run(world, event);
    return true;
}

void sim_run_for(struct sim_world *world, uint64_t duration_ns)
{
    const uint64_t until_ns = world->now_ns + duration_ns;
    while (sim_step(world, until_ns))
        ;
}

static const char *conn_business(const struct sim_conn *conn)
{
    if (conn->up.bytes)
        return "a daemon has not read all its tasks wrote";
    if ((conn->waiting.bytes || conn->down.bytes) && conn->proc && conn->proc->task &&
        !sim_task_is_deaf(conn->proc->task))
        return "a task has not read all its daemon wrote";
    return NULL;
}

static const char *host_business(const struct sim_host *host)
{
    if (host->standstill)
        return "a host stands still";
    if (host->stopping)
        return "a host is stopping";
    if (host->under_way)
        return "a child or a host is being started";
    if (host->socket.count)
        return "datagrams wait to be read";
    if (node_wait_count(host->node))
        return "a request is under way";
    if (mesh_counters(host->mesh)->held_bytes)
        return "a link holds bytes";
    for (size_t i = 0; i < host->conns.count; i++) {
        const char *why = conn_business(host->conns.entries[i].value);
        if (why)
            return why;
    }
    LIST_EACH(pos, following, &host->procs) {
        const struct sim_proc *proc = LIST_ENTRY(pos, struct sim_proc, link);
        if (proc->ended)
            return "a child is not reaped";
        if (proc->task && sim_task_is_busy(proc->task))
            return "a task is busy";
    }
    return NULL;
}

static const char *name_host(const struct sim_host *host, const char *why)
{
    static _Thread_local char text[128];
    str_format(text, sizeof(text), "%s: %s", host->name, why);
    return text;
}

bool sim_world_is_quiet(const struct sim_world *world, const char **why)
{
    const struct sim_host *first = NULL;
    size_t count = 0;
    *why = NULL;
    LIST_EACH(pos, following, &world->hosts) {
        const struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (!sim_host_is_running(host) || host->mute)
            continue;
        *why = host_business(host);
        if (!*why && first && node_table_hash(host->node) != node_table_hash(first->node))
            *why = "host tables differ";
        if (!*why && first && sim_host_state_hash(host) != sim_host_state_hash(first))
            *why = "what is replicated differs";
        if (!*why && node_applied_index(host->node) < world->promises.applied_max)
            *why = "a host has not applied all there is";
        if (*why) {
            *why = name_host(host, *why);
            return false;
        }
        first = host;
        count++;
    }
    if (first && node_host_count(first->node) != count)
        *why = "a host is in the table and not there, or there and not in the table";
    return !*why;
}

bool sim_run_until_quiet(struct sim_world *world, uint64_t limit_ns)
{
    const uint64_t until_ns = world->now_ns + limit_ns;
    int quiet = 0;
    while (quiet < QUIET_CHECKS && world->now_ns < until_ns) {
        const char *why;
        sim_run_for(world, QUIET_CHECK_MS * SIM_NS_PER_MS);
        quiet = sim_world_is_quiet(world, &why) ? quiet + 1 : 0;
    }
    return quiet >= QUIET_CHECKS;
}

struct sim_host *sim_world_host(const struct sim_world *world, const char *name)
{
    LIST_EACH(pos, following, &world->hosts) {
        struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (sim_host_is_running(host) && str_equal(host->name, name))
            return host;
    }
    return NULL;
}

size_t sim_world_host_count(const struct sim_world *world)
{
    size_t count = 0;
    LIST_EACH(pos, following, &world->hosts)
        count += sim_host_is_running(LIST_ENTRY(pos, struct sim_host, link));
    return count;
}
