/* SPDX-License-Identifier: BSD-3-Clause */
/* The measures, one after the other in one world: see the header. */
#include "sim/scale.h"

#include "base/mem.h"
#include "sim/host.h"
#include "sim/script.h"
#include "sim/task.h"

enum {
    LIMIT_S = 120,       /* for each wait */
    IDLE_S = 30,
    WATCHERS_MAX = 50,
    STEP_MS = 1,
    SPAWN_MAX = 5000     /* tasks in one call */
};
enum { WHAT_TASK_EXIT = 1, WHAT_HOST_DELETE = 2 };

struct measure {
    struct sim_world *world;
    struct sim_scale *scale;
    struct sim_task *driver;  /* on the first host, which is master */
    struct sim_task *watchers[WATCHERS_MAX];
    size_t watcher_count;
};

static double seconds_since(const struct sim_world *world, uint64_t begin_ns)
{
    return (double)(world->now_ns - begin_ns) / 1e9;
}

/* Runs until |is_so|, looking every |step_ns|; false when it never was. */
static bool wait_for(struct measure *measure, bool (*is_so)(struct measure *), uint64_t step_ns)
{
    struct sim_world *world = measure->world;
    const uint64_t until_ns = world->now_ns + LIMIT_S * SIM_NS_PER_S;
    while (!is_so(measure)) {
        if (world->now_ns >= until_ns) {
            measure->scale->complete = false;
            return false;
        }
        sim_run_for(world, step_ns);
    }
    return true;
}

static bool driver_is_answered(struct measure *measure)
{
    return sim_task_is_enrolled(measure->driver) && !sim_task_open_requests(measure->driver);
}

/* Everybody is there and knows the same. */
static bool table_is_everywhere(struct measure *measure)
{
    const struct sim_host *first = measure->driver->proc->host;
    const uint64_t hash = node_table_hash(first->node);
    size_t count = 0;
    if (node_host_count(first->node) != measure->scale->hosts)
        return false;
    LIST_EACH(pos, following, &measure->world->hosts) {
        const struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (sim_host_is_running(host) && node_table_hash(host->node) != hash)
            return false;
        count += sim_host_is_running(host);
    }
    return count == measure->scale->hosts;
}

static uint64_t datagrams_of(const struct sim_host *host)
{
    return host->socket.sent + host->socket.received;
}

static void measure_burst(struct measure *measure)
{
    struct sim_scale *scale = measure->scale;
    const struct sim_host *master = measure->driver->proc->host;
    const uint64_t begin_ns = measure->world->now_ns;
    const uint64_t datagrams = datagrams_of(master);
    const uint32_t count = scale->hosts - 1;
    char **names = mem_calloc(count + 1, sizeof(names[0]));
    CHECK(names);
    for (uint32_t i = 0; i < count; i++) {
        char name[16];
        str_format(name, sizeof(name), "h%u", (unsigned)i + 2);
        names[i] = mem_strdup(name);
    }
    if (count)
        sim_task_addhosts(measure->driver, names, (int)count);
    wait_for(measure, table_is_everywhere, 10 * SIM_NS_PER_MS);
    scale->burst_s = seconds_since(measure->world, begin_ns);
    wait_for(measure, driver_is_answered, 10 * SIM_NS_PER_MS);
    scale->burst_datagrams_master =
        (double)(datagrams_of(master) - datagrams) / (count ? count : 1);
    for (uint32_t i = 0; i < count; i++)
        mem_free(names[i]);
    mem_free(names);
}

static void measure_idle(struct measure *measure)
{
    struct sim_world *world = measure->world;
    struct sim_scale *scale = measure->scale;
    sim_run_for(world, 2 * SIM_NS_PER_S);
    const uint64_t bytes = world->net.counters.sent_bytes;
    LIST_EACH(pos, following, &world->hosts)
        LIST_ENTRY(pos, struct sim_host, link)->socket.sent = 0;
    sim_run_for(world, IDLE_S * SIM_NS_PER_S);
    uint64_t sum = 0;
    LIST_EACH(pos, following, &world->hosts) {
        const struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        const double rate = (double)host->socket.sent / IDLE_S;
        sum += host->socket.sent;
        scale->idle_datagrams_max = MAX_OF(scale->idle_datagrams_max, rate);
        if (host == measure->driver->proc->host)
            scale->idle_datagrams_master = rate;
    }
    scale->idle_datagrams = (double)sum / IDLE_S / scale->hosts;
    scale->idle_bytes =
        (double)(world->net.counters.sent_bytes - bytes) / IDLE_S / scale->hosts;
}

static void measure_spawn(struct measure *measure)
{
    const uint64_t begin_ns = measure->world->now_ns;
    for (uint32_t left = measure->scale->tasks; left;) {
        const uint32_t count = MIN_OF(left, (uint32_t)SPAWN_MAX);
        sim_task_spawn(measure->driver, "sit", 0, "", (int)count);
        if (!wait_for(measure, driver_is_answered, STEP_MS * SIM_NS_PER_MS))
            break;
        left -= count;
    }
    measure->scale->spawn_s = seconds_since(measure->world, begin_ns);
}

/* ---- notices ---- */

static bool watchers_are_there(struct measure *measure)
{
    for (size_t i = 0; i < measure->watcher_count; i++)
        if (!sim_task_is_enrolled(measure->watchers[i]))
            return false;
    return true;
}

static bool watchers_are_told(struct measure *measure)
{
    for (size_t i = 0; i < measure->watcher_count; i++)
        if (!measure->watchers[i]->notice_count)
            return false;
    return true;
}

/* Hosts at even distances, none of them the first or the last four. */
static void place_watchers(struct measure *measure)
{
    struct sim_world *world = measure->world;
    const uint32_t hosts = measure->scale->hosts;
    const uint32_t places = hosts > 6 ? hosts - 5 : 1;
    measure->watcher_count = MIN_OF(places, (uint32_t)WATCHERS_MAX);
    for (size_t i = 0; i < measure->watcher_count; i++) {
        char name[32];
        str_format(name, sizeof(name), "h%u", (unsigned)(2 + i * places / measure->watcher_count));
        struct sim_host *host = sim_world_host(world, name);
        str_format(name, sizeof(name), "watcher.%zu", i);
        measure->watchers[i] = sim_puppet_create(host, name);
    }
    wait_for(measure, watchers_are_there, STEP_MS * SIM_NS_PER_MS);
}

/* All watch |subject|; |end| ends it; the time until the last is told, in ms. */
static double notice_ms(struct measure *measure, int what, uint32_t subject, struct sim_host *host,
                        void (*end)(struct sim_host *host, uint32_t subject))
{
    for (size_t i = 0; i < measure->watcher_count; i++) {
        measure->watchers[i]->notice_count = 0;
        sim_task_notify(measure->watchers[i], what, 1, &subject);
    }
    sim_run_for(measure->world, 5 * SIM_NS_PER_S);
    const uint64_t begin_ns = measure->world->now_ns;
    end(host, subject);
    wait_for(measure, watchers_are_told, STEP_MS * SIM_NS_PER_MS);
    return seconds_since(measure->world, begin_ns) * 1e3;
}

static void end_task(struct sim_host *host, uint32_t subject)
{
    struct sim_task *task = sim_task_of_tid(host, subject);
    if (task)
        sim_proc_end(task->proc, 9);
}

static void kill_daemon(struct sim_host *host, uint32_t subject)
{
    sim_host_kill(host);
}

static void cut_power(struct sim_host *host, uint32_t subject)
{
    sim_host_crash(host);
}

static struct sim_host *host_from_end(struct measure *measure, uint32_t distance)
{
    char name[16];
    str_format(name, sizeof(name), "h%u", (unsigned)(measure->scale->hosts - distance));
    return sim_world_host(measure->world, name);
}

static void measure_notices(struct measure *measure)
{
    struct sim_scale *scale = measure->scale;
    if (scale->hosts < 6)
        return;
    place_watchers(measure);
    struct sim_host *host = host_from_end(measure, 0);
    struct sim_task *victim = sim_puppet_create(host, "victim");
    sim_run_for(measure->world, SIM_NS_PER_S);
    scale->exit_notice_ms = notice_ms(measure, WHAT_TASK_EXIT, victim->tid, host, end_task);
    host = host_from_end(measure, 1);
    scale->kill_notice_ms = notice_ms(measure, WHAT_HOST_DELETE, host->tid, host, kill_daemon);
    host = host_from_end(measure, 2);
    scale->silence_notice_ms = notice_ms(measure, WHAT_HOST_DELETE, host->tid, host, cut_power);
    host = measure->driver->proc->host;
    scale->master_notice_ms = notice_ms(measure, WHAT_HOST_DELETE, host->tid, host, kill_daemon);
}

void sim_scale_run(uint32_t hosts, uint32_t tasks, uint64_t (*bytes_now)(void),
                   double (*seconds)(void), struct sim_scale *scale)
{
    struct measure measure = {.world = sim_world_create(1), .scale = scale};
    const double begin_s = seconds();
    CHECK(measure.world);
    *scale = (struct sim_scale){.hosts = hosts, .tasks = tasks, .complete = true};
    measure.driver = sim_puppet_create(sim_host_create_master(measure.world, "h1"), "driver");
    wait_for(&measure, driver_is_answered, STEP_MS * SIM_NS_PER_MS);
    const uint64_t bytes = bytes_now();
    measure_burst(&measure);
    measure_idle(&measure);
    scale->daemon_bytes = (double)(bytes_now() - bytes) / hosts;
    measure_spawn(&measure);
    measure_notices(&measure);
    scale->real_s = seconds() - begin_s;
    scale->events_per_s = (double)measure.world->events_run / scale->real_s;
    if (measure.world->promises.broken)
        scale->complete = false;
    sim_world_destroy(measure.world);
}
