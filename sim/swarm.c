/* SPDX-License-Identifier: BSD-3-Clause */
/* Seeds into stories: see the header. */
#include "sim/swarm.h"

#include "base/mem.h"
#include "sim/host.h"
#include "sim/mbox.h"
#include "sim/swarm_state.h"

#include <string.h>

enum {
    HOSTS_MIN = 2, HOSTS_MAX = 15, HOSTS_MANY = 60,
    QUIET_LIMIT_S = 400,     /* after healing: longer than a start or a join may take */
    CALL_LIMIT_S = 30,       /* then calls must be answered within so long */
    HALT_LIMIT_S = 10
};

static void draw_wire(struct swarm *swarm)
{
    struct rng *rng = swarm->rng;
    struct swarm_parameters *drawn = &swarm->drawn;
    if (drawn->mix == SIM_MIX_CALM)
        return;
    drawn->loss_ppm = swarm_draw(rng, 0, 100000);
    drawn->duplicate_ppm = swarm_draw(rng, 0, 50000);
    drawn->reorder_ppm = swarm_draw(rng, 0, 200000);
    drawn->corrupt_ppm = swarm_draw(rng, 0, 20000);
    drawn->burst_ns = swarm_draw(rng, 5, 200) * (drawn->dead_after_ns / 5000);
    drawn->burst_ppm = rng_chance(rng, 300000) ? swarm_draw(rng, 0, 300000) : 0;
    if (drawn->mix != SIM_MIX_WIRE)
        drawn->loss_ppm /= 4;
}

static void draw_parameters(struct swarm *swarm, enum sim_mix mix)
{
    struct rng *rng = swarm->rng;
    struct swarm_parameters *drawn = &swarm->drawn;
    *drawn = (struct swarm_parameters){.mix = mix};
    const uint32_t any = swarm_draw(rng, SIM_MIX_CALM, SIM_MIX_ANY - 1);
    if (mix == SIM_MIX_ANY)
        drawn->mix = (enum sim_mix)any;
    drawn->hosts = swarm_draw(rng, HOSTS_MIN, HOSTS_MAX);
    drawn->actions = swarm_draw(rng, 40, 250);
    if (rng_chance(rng, 20000))
        drawn->hosts = swarm_draw(rng, HOSTS_MAX, HOSTS_MANY);
    drawn->pause_ns = (uint64_t)swarm_draw(rng, 20, 5000) * SIM_NS_PER_US;
    if (rng_chance(rng, 300000))
        drawn->pause_ns *= 20;
    drawn->large_ppm = swarm_draw(rng, 0, 60000);
    drawn->jitter_ns = (uint64_t)swarm_draw(rng, 0, 300) * SIM_NS_PER_US;
    drawn->drift_ppm = swarm_draw(rng, 0, 2000);
    drawn->dead_after_ns = rng_chance(rng, 200000) ? SIM_NS_PER_S : 5 * SIM_NS_PER_S;
    drawn->shares = rng_chance(rng, 500000);
    drawn->same_address = rng_chance(rng, 300000);
    draw_wire(swarm);
    if (drawn->mix < SIM_MIX_CRASHES)
        return;
    drawn->fault_ppm = swarm_draw(rng, 5000, 100000);
    drawn->fault_count = swarm_draw(rng, 1, 12);
    drawn->wild = rng_chance(rng, 100000);
}

/* ---- the run ---- */

static void set_wire(struct swarm *swarm)
{
    struct sim_path *path = &swarm->world->net.standard;
    path->loss_ppm = swarm->drawn.loss_ppm;
    path->duplicate_ppm = swarm->drawn.duplicate_ppm;
    path->reorder_ppm = swarm->drawn.reorder_ppm;
    path->corrupt_ppm = swarm->drawn.corrupt_ppm;
    path->burst_ppm = swarm->drawn.burst_ppm;
    path->burst_ns = swarm->drawn.burst_ns;
    path->jitter_ns = swarm->drawn.jitter_ns;
}

static void run_safety(struct swarm *swarm)
{
    struct sim_world *world = swarm->world;
    const struct swarm_parameters *drawn = &swarm->drawn;
    uint32_t faults = 0;
    for (uint32_t i = 0; i < drawn->actions && !world->promises.broken; i++) {
        sim_run_for(world, rng_below(swarm->rng, 2 * drawn->pause_ns));
        if (rng_chance(swarm->rng, 20000)) /* now and then a rest, so that time-outs run out */
            sim_run_for(world, swarm_draw(swarm->rng, 1, 8) * SIM_NS_PER_S);
        if (faults >= drawn->fault_count || !rng_chance(swarm->rng, drawn->fault_ppm)) {
            swarm_act(swarm);
        } else if (swarm_befall(swarm)) {
            faults++;
            if (rng_chance(swarm->rng, 400000)) /* and time to notice it */
                sim_run_for(world, swarm_draw(swarm->rng, 1, 2000) *
                                       (drawn->dead_after_ns / 1000));
        }
    }
}

static void all_listen(struct sim_world *world)
{
    LIST_EACH(pos, following, &world->hosts) {
        const struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        LIST_EACH(at, after, &host->procs) {
            struct sim_proc *proc = LIST_ENTRY(at, struct sim_proc, link);
            if (sim_host_is_running(host) && proc->task && !proc->ended && proc->task->deaf)
                sim_task_set_deaf(proc->task, false);
        }
    }
}

/* Nobody is left who belongs to a virtual machine: it lost its quorum, and was ended by all. */
static bool nobody_is_member(const struct sim_world *world)
{
    LIST_EACH(pos, following, &world->hosts) {
        const struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (sim_host_is_running(host) && node_is_member(host->node))
            return false;
    }
    return true;
}

static enum sim_verdict no_rest(struct swarm *swarm, struct sim_swarm_result *result,
                                const char *when, unsigned seconds)
{
    const char *why = "";
    sim_world_is_quiet(swarm->world, &why);
    str_format(result->reason, sizeof(result->reason), "no rest %u s after %s: %s", seconds, when,
               why ? why : "");
    return SIM_STUCK;
}

/* What must work again: an add, a spawn, a mailbox, and everybody who waits gets it. */
static enum sim_verdict run_calls(struct swarm *swarm, struct sim_swarm_result *result)
{
    struct sim_world *world = swarm->world;
    char name[16];
    char *names[1] = {name};
    swarm_enrol(swarm, NULL);
    sim_run_for(world, SIM_NS_PER_S);
    struct sim_task *task = swarm_any_task(swarm);
    if (!task)
        return SIM_FINE;
    str_format(name, sizeof(name), "h%u", (unsigned)++swarm->host_names);
    sim_mbox_fulfil_all(task);
    sim_task_addhosts(task, names, 1);
    sim_task_spawn(task, "exit", 0, "", 2);
    sim_mbox_ask(task, SIM_MBOX_BAG_PUT, 0, 100);
    if (!sim_run_until_quiet(world, CALL_LIMIT_S * SIM_NS_PER_S))
        return no_rest(swarm, result, "calls", CALL_LIMIT_S);
    const struct sim_host *added = sim_world_host(world, name);
    if (!added || !node_is_member(added->node))
        sim_promise_broken(world, "an add after healing brings no host");
    if (!sim_task_is_enrolled(task) || task->exiting)
        return SIM_FINE;
    sim_mbox_empty_bag(task);
    if (!sim_run_until_quiet(world, CALL_LIMIT_S * SIM_NS_PER_S))
        return no_rest(swarm, result, "the bag", CALL_LIMIT_S);
    sim_mbox_check_bag(world);
    return SIM_FINE;
}

static enum sim_verdict run_liveness(struct swarm *swarm, struct sim_swarm_result *result)
{
    struct sim_world *world = swarm->world;
    sim_fault_end_all(world);
    all_listen(world);
    sim_run_for(world, swarm->drawn.dead_after_ns); /* who is dead is noticed */
    struct sim_task *task = swarm_any_task(swarm);
    if (task)
        sim_mbox_fulfil_all(task); /* else who waits is never at rest */
    const bool quiet = sim_run_until_quiet(world, QUIET_LIMIT_S * SIM_NS_PER_S);
    if (world->promises.broken)
        return SIM_FINE;
    if (swarm->drawn.wild && nobody_is_member(world)) {
        result->ended = true;
        return SIM_FINE;
    }
    if (!quiet)
        return no_rest(swarm, result, "healing", QUIET_LIMIT_S);
    sim_promises_check_quiet(world);
    return world->promises.broken ? SIM_FINE : run_calls(swarm, result);
}

/* Promise 7: after a halt nothing of the virtual machine is left. */
static enum sim_verdict run_halt(struct swarm *swarm, struct sim_swarm_result *result)
{
    struct sim_world *world = swarm->world;
    struct message halt = {.type = TM_HALT};
    swarm_enrol(swarm, NULL);
    sim_run_for(world, SIM_NS_PER_S);
    struct sim_task *task = swarm_any_task(swarm);
    if (!task)
        return SIM_FINE; /* no host is left to ask */
    sim_task_request(task, &halt);
    sim_run_for(world, HALT_LIMIT_S * SIM_NS_PER_S);
    if (sim_world_host_count(world) == 0)
        return SIM_FINE;
    str_format(result->reason, sizeof(result->reason), "%zu hosts are there %d s after a halt",
               sim_world_host_count(world), HALT_LIMIT_S);
    return SIM_STUCK;
}

static void describe(const struct swarm *swarm, struct sim_swarm_result *result)
{
    const struct swarm_parameters *drawn = &swarm->drawn;
    str_format(result->parameters, sizeof(result->parameters),
               "%s%s: %u hosts, %u actions, loss %.1f%%, duplicates %.1f%%, reordered %.1f%%, "
               "corrupt %.1f%%, bursts %.1f%%, %u faults, dead after %u ms",
               drawn->wild ? "wild " : "", sim_mix_name(drawn->mix), (unsigned)drawn->hosts,
               (unsigned)drawn->actions, drawn->loss_ppm / 1e4, drawn->duplicate_ppm / 1e4,
               drawn->reorder_ppm / 1e4, drawn->corrupt_ppm / 1e4, drawn->burst_ppm / 1e4,
               (unsigned)drawn->fault_count, (unsigned)(drawn->dead_after_ns / SIM_NS_PER_MS));
}

static void run_story(struct swarm *swarm, struct sim_swarm_result *result)
{
    struct sim_world *world = swarm->world;
    if (sim_hosts_start(world, (int)swarm->drawn.hosts) < 0) {
        result->verdict = SIM_STUCK;
        str_format(result->reason, sizeof(result->reason), "the hosts did not come together");
        return;
    }
    for (int i = 0; i < 3; i++)
        swarm_enrol(swarm, NULL);
    sim_run_for(world, SIM_NS_PER_MS);
    set_wire(swarm);
    run_safety(swarm);
    result->verdict = run_liveness(swarm, result);
    if (result->verdict == SIM_FINE && !world->promises.broken && !result->ended)
        result->verdict = run_halt(swarm, result);
}

void sim_swarm_run(uint64_t seed, enum sim_mix mix, uint32_t shown,
                   void (*write)(void *context, const char *line), void *context,
                   struct sim_swarm_result *result)
{
    const uint64_t buffers_before = buf_live_count();
    struct swarm swarm = {.world = sim_world_create(seed)};
    struct sim_world *world = swarm.world;
    *result = (struct sim_swarm_result){.verdict = SIM_BAD_SCRIPT};
    if (!world)
        return;
    world->trace.shown = shown;
    world->trace.write = write;
    world->trace.context = context;
    swarm.rng = &world->workload;
    draw_parameters(&swarm, mix);
    world->settings.shares_memory = world->settings.shares_always = swarm.drawn.shares;
    world->settings.drift_ppm_max = swarm.drawn.drift_ppm;
    world->settings.dead_after_ns = swarm.drawn.dead_after_ns;
    world->settings.same_address = swarm.drawn.same_address;
    swarm.host_names = swarm.drawn.hosts;
    describe(&swarm, result);
    run_story(&swarm, result);
    const struct sim_promises *promises = &world->promises;
    if (promises->broken) {
        result->verdict = SIM_UNSAFE;
        str_format(result->reason, sizeof(result->reason), "%.*s",
                   (int)strcspn(strbuf_text(&promises->words), "\n"),
                   strbuf_text(&promises->words));
    }
    result->hash = world->trace.hash;
    result->events = world->events_run;
    result->messages = promises->messages_received;
    result->notices = promises->notices;
    result->answers = promises->answers;
    result->removals = promises->removals;
    result->virtual_ns = world->now_ns;
    sim_world_destroy(world);
    if (result->verdict == SIM_FINE && buf_live_count() != buffers_before) {
        result->verdict = SIM_UNSAFE;
        str_format(result->reason, sizeof(result->reason), "%llu buffers are never given back",
                   (unsigned long long)(buf_live_count() - buffers_before));
    }
}

int sim_mix_parse(const char *name, enum sim_mix *mix)
{
#define MIX_PARSE(value, text)                                                                    \
    if (str_equal(name, text)) {                                                                  \
        *mix = value;                                                                             \
        return 0;                                                                                 \
    }
    SIM_MIX_TABLE(MIX_PARSE)
#undef MIX_PARSE
    return -1;
}

const char *sim_mix_name(enum sim_mix mix)
{
    static const char *const names[] = {
#define MIX_NAME(name, text) text,
        SIM_MIX_TABLE(MIX_NAME)
#undef MIX_NAME
    };
    return names[mix];
}
