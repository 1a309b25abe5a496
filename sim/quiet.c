/* SPDX-License-Identifier: BSD-3-Clause */
/* Quiet faults for hours: see the header. */
#include "sim/quiet.h"

#include "sim/host.h"
#include "sim/script.h"
#include "sim/world.h"

enum {
    BURST_PPM = 300000,       /* of the time, for each path */
    BURST_MS_MIN = 10, BURST_MS_MAX = 200,
    BLACKOUT_MS_MAX = 2000,
    STOP_MS_MAX = 3000,
    STARVE_PERIOD_MS_MAX = 400, STARVE_S_MAX = 20,
    SILENCE_MS_MAX = 3500,    /* what one fault may make in all */
    RECOVERY_MS = 3000,       /* between two faults of one host, so that they do not add up */
    FAULT_MS = 200            /* from one to the next, of all hosts together, in the mean */
};

struct quiet {
    struct sim_world *world;
    struct rng rng;
    const struct sim_quiet_order *order;
    struct sim_quiet_result *result;
    uint64_t ends_ns[4096];   /* when the fault of a place is over, by number */
    bool stopped[4096];
};

static uint64_t draw_ms(struct quiet *quiet, uint64_t min_ms, uint64_t max_ms)
{
    return (min_ms + rng_below(&quiet->rng, max_ms - min_ms + 1)) * SIM_NS_PER_MS;
}

/* The bursts are of another length every so often. */
static void set_wire(struct quiet *quiet)
{
    struct sim_path *path = &quiet->world->net.standard;
    path->burst_ppm = (uint32_t)rng_below(&quiet->rng, BURST_PPM + 1);
    path->burst_ns = draw_ms(quiet, BURST_MS_MIN, BURST_MS_MAX);
    path->jitter_ns = draw_ms(quiet, 0, 5);
    path->duplicate_ppm = (uint32_t)rng_below(&quiet->rng, 20000);
    path->reorder_ppm = (uint32_t)rng_below(&quiet->rng, 100000);
}

static void strike(struct quiet *quiet, struct sim_host *host)
{
    struct sim_world *world = quiet->world;
    uint64_t duration_ns = 0;
    switch (rng_below(&quiet->rng, 3)) {
    case 0:
        duration_ns = draw_ms(quiet, 1, BLACKOUT_MS_MAX);
        sim_net_place_of(&world->net, host->place)->dark_until_ns = world->now_ns + duration_ns;
        quiet->result->blackouts++;
        break;
    case 1:
        duration_ns = draw_ms(quiet, 1, STOP_MS_MAX);
        sim_host_halt(host, SIM_DAEMON_STOPPED);
        quiet->stopped[host->place] = true;
        quiet->result->stops++;
        break;
    default:
        duration_ns = draw_ms(quiet, 1, STARVE_S_MAX * 1000);
        sim_host_starve(host, draw_ms(quiet, 10, STARVE_PERIOD_MS_MAX), duration_ns);
        quiet->result->starvations++;
    }
    quiet->ends_ns[host->place] = world->now_ns + duration_ns;
}

static void end_stops(struct quiet *quiet)
{
    LIST_EACH(pos, following, &quiet->world->hosts) {
        struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (!quiet->stopped[host->place] || quiet->ends_ns[host->place] > quiet->world->now_ns)
            continue;
        quiet->stopped[host->place] = false;
        sim_host_go_on(host, SIM_DAEMON_STOPPED);
    }
}

static struct sim_host *any_host(struct quiet *quiet)
{
    char name[16];
    str_format(name, sizeof(name), "h%u",
               (unsigned)rng_below(&quiet->rng, quiet->order->hosts) + 1);
    return sim_world_host(quiet->world, name);
}

void sim_quiet_run(const struct sim_quiet_order *order, struct sim_quiet_result *result)
{
    static _Thread_local struct quiet quiet;
    quiet = (struct quiet){.world = sim_world_create(order->seed), .order = order,
                           .result = result};
    struct sim_world *world = quiet.world;
    *result = (struct sim_quiet_result){0};
    CHECK(world && order->hosts < ARRAY_LEN(quiet.ends_ns));
    rng_seed(&quiet.rng, order->seed);
    world->settings.drift_ppm_max = order->drift_ppm;
    if (sim_hosts_start(world, (int)order->hosts) < 0) {
        result->removals = result->broken = 1;
        sim_world_destroy(world);
        return;
    }
    const uint64_t begin_ns = world->now_ns;
    const uint64_t end_ns = begin_ns + (uint64_t)(order->virtual_hours * 3.6e12);
    while (world->now_ns < end_ns && !world->promises.removals && !world->promises.rejoins) {
        if (rng_chance(&quiet.rng, 2000))
            set_wire(&quiet);
        sim_run_for(world, draw_ms(&quiet, 1, 2 * FAULT_MS));
        end_stops(&quiet);
        struct sim_host *host = any_host(&quiet);
        if (host && quiet.ends_ns[host->place] + RECOVERY_MS * SIM_NS_PER_MS < world->now_ns)
            strike(&quiet, host);
    }
    result->virtual_hours = (double)(world->now_ns - begin_ns) / 3.6e12;
    result->removals = world->promises.removals;
    result->rejoins = world->promises.rejoins;
    result->leaders = world->promises.leaders;
    result->broken = world->promises.broken;
    result->datagrams = world->net.counters.sent;
    result->lost = world->net.counters.lost + world->net.counters.cut;
    sim_world_destroy(world);
}
