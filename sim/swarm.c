/* SPDX-License-Identifier: BSD-3-Clause */
/* Seeds into stories: see the header. */
#include "sim/swarm.h"

#include "base/mem.h"
#include "sim/host.h"
#include "sim/program.h"
#include "sim/task.h"

#include <string.h>

enum {
    HOSTS_MIN = 2, HOSTS_MAX = 12,
    TASKS_MAX = 60,          /* of all hosts together, before no more are spawned */
    QUIET_LIMIT_S = 400,     /* after healing: longer than a start or a join may take */
    HALT_LIMIT_S = 10,
    SIGNAL_TERM = 15, SIGNAL_KILL = 9
};

/* What a seed draws. */
struct parameters {
    enum sim_mix mix;
    uint32_t hosts;
    uint32_t actions;        /* of tasks, in all */
    uint64_t pause_ns;       /* mean time between two of them */
    uint32_t large_ppm;      /* messages that are large */
    uint32_t loss_ppm, duplicate_ppm, reorder_ppm;
    uint64_t jitter_ns;
    uint32_t fault_ppm;      /* chance that a step is a fault of a host */
    uint32_t fault_count;    /* and how many there may be */
};

struct swarm {
    struct sim_world *world;
    struct parameters drawn;
    struct rng *rng;
    uint32_t host_names;     /* h1..hN have been used */
};

static uint32_t draw(struct rng *rng, uint32_t min, uint32_t max)
{
    return min + (uint32_t)rng_below(rng, (uint64_t)max - min + 1);
}

static void draw_parameters(struct swarm *swarm, enum sim_mix mix)
{
    struct rng *rng = swarm->rng;
    struct parameters *drawn = &swarm->drawn;
    *drawn = (struct parameters){.mix = mix};
    const uint32_t any = draw(rng, SIM_MIX_CALM, SIM_MIX_CRASHES);
    if (mix == SIM_MIX_ANY)
        drawn->mix = (enum sim_mix)any;
    drawn->hosts = draw(rng, HOSTS_MIN, HOSTS_MAX);
    drawn->actions = draw(rng, 40, 250);
    drawn->pause_ns = (uint64_t)draw(rng, 20, 5000) * SIM_NS_PER_US;
    drawn->large_ppm = draw(rng, 0, 60000);
    drawn->jitter_ns = (uint64_t)draw(rng, 0, 300) * SIM_NS_PER_US;
    if (drawn->mix == SIM_MIX_CALM)
        return;
    drawn->loss_ppm = draw(rng, 0, 100000);
    drawn->duplicate_ppm = draw(rng, 0, 50000);
    drawn->reorder_ppm = draw(rng, 0, 200000);
    if (drawn->mix != SIM_MIX_CRASHES)
        return;
    drawn->loss_ppm /= 4;
    drawn->fault_ppm = draw(rng, 5000, 60000);
    drawn->fault_count = draw(rng, 1, 6);
}

/* ---- choosing ---- */

static bool task_can_act(const struct sim_task *task)
{
    return sim_task_is_enrolled(task) && !task->exiting;
}

/* A living task of the world, or NULL: each with the same chance. */
static struct sim_task *any_task(struct swarm *swarm)
{
    struct sim_task *chosen = NULL;
    uint64_t seen = 0;
    LIST_EACH(pos, following, &swarm->world->hosts) {
        const struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (!sim_host_is_running(host) || host->standstill || host->stopping)
            continue;
        LIST_EACH(at, after, &host->procs) {
            struct sim_proc *proc = LIST_ENTRY(at, struct sim_proc, link);
            if (proc->task && task_can_act(proc->task) && rng_below(swarm->rng, ++seen) == 0)
                chosen = proc->task;
        }
    }
    return chosen;
}

static struct sim_host *any_host(struct swarm *swarm)
{
    struct sim_host *chosen = NULL;
    uint64_t seen = 0;
    LIST_EACH(pos, following, &swarm->world->hosts) {
        struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (sim_host_is_running(host) && !host->standstill && !host->stopping && !host->mute &&
            rng_below(swarm->rng, ++seen) == 0)
            chosen = host;
    }
    return chosen;
}

/* A tid somebody could still hold: mostly of the living, now and then of one long gone. */
static uint32_t any_tid(struct swarm *swarm)
{
    const struct map *known = &swarm->world->promises.tasks;
    if (known->count && rng_chance(swarm->rng, 100000))
        return (uint32_t)known->entries[rng_below(swarm->rng, known->count)].key;
    const struct sim_task *task = any_task(swarm);
    return task ? task->tid : 0;
}

static size_t task_count(const struct sim_world *world)
{
    size_t count = 0;
    LIST_EACH(pos, following, &world->hosts) {
        const struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        LIST_EACH(at, after, &host->procs)
            count += sim_host_is_running(host);
    }
    return count;
}

/* ---- what tasks do ---- */

static uint32_t any_size(struct swarm *swarm)
{
    if (rng_chance(swarm->rng, swarm->drawn.large_ppm))
        return draw(swarm->rng, 60000, 400000);
    return draw(swarm->rng, 0, rng_chance(swarm->rng, 200000) ? 8000 : 200);
}

static void act_send(struct swarm *swarm, struct sim_task *task)
{
    const uint32_t tid = any_tid(swarm);
    for (uint32_t i = draw(swarm->rng, 1, 6); i > 0; i--)
        sim_task_send(task, tid, (int)draw(swarm->rng, 0, 9) * 2, any_size(swarm));
}

static void act_mcast(struct swarm *swarm, struct sim_task *task)
{
    uint32_t tids[12];
    int count = 0;
    for (uint32_t i = draw(swarm->rng, 1, 12); i > 0; i--) {
        const uint32_t tid = any_tid(swarm);
        int at = 0;
        while (at < count && tids[at] != tid)
            at++;
        if (at == count)
            tids[count++] = tid;
    }
    sim_task_mcast(task, tids, count, 50, any_size(swarm));
}

static void act_spawn(struct swarm *swarm, struct sim_task *task)
{
    static const char *const files[] = {"sit",       "sit",   "sit",      "sendexit",
                                        "sendleave", "exit",  "crash",    "print",
                                        "nap",       "hello", "echoless", "stubborn"};
    if (task_count(swarm->world) >= TASKS_MAX)
        return;
    const char *file = files[rng_below(swarm->rng, ARRAY_LEN(files))];
    const struct sim_host *host = any_host(swarm);
    const bool placed = host && rng_chance(swarm->rng, 300000);
    sim_task_spawn(task, file, placed ? 1 : 0, placed ? host->name : "",
                   (int)draw(swarm->rng, 1, 5));
}

static void act_notify(struct swarm *swarm, struct sim_task *task)
{
    uint32_t tids[3];
    const int count = (int)draw(swarm->rng, 1, 3);
    const int what = (int)draw(swarm->rng, 1, 3);
    for (int i = 0; i < count; i++) {
        const struct sim_host *host = what == 2 ? any_host(swarm) : NULL;
        tids[i] = host ? host->tid : any_tid(swarm);
        if (tids[i] == task->tid) /* one's own end is told to nobody (surface NTF-2) */
            return;
    }
    sim_task_notify(task, what, what == 3 ? -1 : count, tids);
}

static void act_exit(struct swarm *swarm, struct sim_task *task)
{
    if (!rng_chance(swarm->rng, 400000))
        return;
    if (rng_chance(swarm->rng, 500000))
        sim_task_exit(task);
    else
        sim_proc_end(task->proc, SIGNAL_KILL);
}

/* The commonest idiom of workers: the result, and gone. Somebody waits for both. */
static void act_last_words(struct swarm *swarm, struct sim_task *task)
{
    struct sim_task *watcher = any_task(swarm);
    const uint32_t tid = task->tid;
    const uint32_t watcher_tid = watcher ? watcher->tid : 0;
    if (!watcher || watcher == task || task_count(swarm->world) < 4)
        return;
    sim_task_notify(watcher, 1, 1, &tid);
    sim_run_for(swarm->world, rng_below(swarm->rng, 2 * SIM_NS_PER_MS));
    /* Meanwhile either may have ended. */
    if (sim_world_task(swarm->world, tid) != task || !task_can_act(task))
        return;
    for (uint32_t i = draw(swarm->rng, 1, 4); i > 0; i--)
        sim_task_send(task, watcher_tid, 2, rng_chance(swarm->rng, 300000)
                                                 ? draw(swarm->rng, 20000, 150000)
                                                 : any_size(swarm));
    if (rng_chance(swarm->rng, 700000))
        sim_task_exit(task);
    else
        sim_proc_end(task->proc, rng_chance(swarm->rng, 500000) ? 0 : SIGNAL_KILL);
}

static void act_ask(struct swarm *swarm, struct sim_task *task)
{
    struct message message = {.type = TM_CONFIG};
    const struct sim_host *host = any_host(swarm);
    switch (draw(swarm->rng, 0, 4)) {
    case 0:
        message.type = TM_TASKS;
        message.tm_tasks.where = host && rng_chance(swarm->rng, 500000) ? host->tid : 0;
        break;
    case 1:
        message.type = TM_PSTAT;
        message.tm_pstat.tid = any_tid(swarm);
        break;
    case 2:
        message.type = TM_MSTAT;
        message.tm_mstat.host = host ? host->name : "nobody";
        break;
    case 3:
        message.type = TM_HOSTSYNC;
        message.tm_hostsync.host_tid = host ? host->tid : 0;
        break;
    default:
        break;
    }
    sim_task_request(task, &message);
}

static void act_signal(struct swarm *swarm, struct sim_task *task)
{
    if (rng_chance(swarm->rng, 300000))
        sim_task_signal(task, any_tid(swarm), rng_chance(swarm->rng, 500000) ? SIGNAL_TERM
                                                                              : SIGNAL_KILL);
}

static void act_add(struct swarm *swarm, struct sim_task *task)
{
    char name[16];
    char *names[1] = {name};
    if (sim_world_host_count(swarm->world) >= HOSTS_MAX + 2 || !rng_chance(swarm->rng, 300000))
        return;
    const bool again = rng_chance(swarm->rng, 400000);
    str_format(name, sizeof(name), "h%u",
               again ? (unsigned)draw(swarm->rng, 1, swarm->host_names)
                     : (unsigned)++swarm->host_names);
    sim_task_addhosts(task, names, 1);
}

static void act_delete(struct swarm *swarm, struct sim_task *task)
{
    const struct sim_host *host = any_host(swarm);
    char name[256];
    char *names[1] = {name};
    if (!host || host->tid >> 18 == 1 || !rng_chance(swarm->rng, 150000))
        return;
    str_copy(name, sizeof(name), host->name);
    sim_task_delhosts(task, names, 1);
}

/* A program that computes for a while and reads nothing. */
static void act_deaf(struct swarm *swarm, struct sim_task *task)
{
    sim_task_set_deaf(task, !task->deaf);
}

static void act_enrol(struct swarm *swarm, struct sim_task *task)
{
    struct sim_host *host = any_host(swarm);
    char name[32];
    if (!host || task_count(swarm->world) >= TASKS_MAX)
        return;
    str_format(name, sizeof(name), "user.%llu", (unsigned long long)++swarm->world->serial);
    sim_puppet_create(host, name);
}

static const struct {
    uint32_t weight;
    void (*act)(struct swarm *swarm, struct sim_task *task);
} acts[] = {
    {40, act_send}, {8, act_mcast}, {14, act_spawn}, {14, act_notify}, {10, act_exit},
    {8, act_ask},   {3, act_signal}, {4, act_add},   {4, act_delete},  {3, act_enrol},
    {4, act_deaf},  {5, act_last_words},
};

static void act(struct swarm *swarm)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < ARRAY_LEN(acts); i++)
        sum += acts[i].weight;
    uint32_t at = (uint32_t)rng_below(swarm->rng, sum);
    struct sim_task *task = any_task(swarm);
    size_t i = 0;
    while (at >= acts[i].weight)
        at -= acts[i++].weight;
    if (task)
        acts[i].act(swarm, task);
}

/* ---- what befalls hosts ---- */

static void befall(struct swarm *swarm)
{
    static const char *const kinds[] = {"crash",       "isolate",     "freeze",      "cut",
                                        "start-fails", "start-hangs", "spawn-fails", "cut-one-way",
                                        "heal",        "thaw"};
    struct sim_world *world = swarm->world;
    struct sim_host *host = any_host(swarm);
    struct sim_host *other = any_host(swarm);
    const char *kind = kinds[rng_below(swarm->rng, ARRAY_LEN(kinds))];
    char error[128];
    char next[16];
    str_format(next, sizeof(next), "h%u", (unsigned)swarm->host_names + 1);
    if (!host || !other || host == other)
        return;
    const bool of_pair = str_has_prefix(kind, "cut");
    const bool of_start = str_has_prefix(kind, "start");
    const bool of_nobody = str_equal(kind, "heal");
    /* The master is what this version cannot lose; then the others are right to stop. */
    if (!of_pair && !of_start && !of_nobody && host->tid >> 18 == 1)
        return;
    if (str_equal(kind, "thaw"))
        LIST_EACH(pos, following, &world->hosts)
            if (LIST_ENTRY(pos, struct sim_host, link)->standstill)
                host = LIST_ENTRY(pos, struct sim_host, link);
    if (str_equal(kind, "thaw") && !host->standstill)
        return;
    char *words[] = {(char *)kind, of_start ? next : host->name, other->name, NULL};
    sim_fault_apply(world, words, of_nobody ? 1 : of_pair ? 3 : 2, error, sizeof(error));
}

/* ---- the run ---- */

static void set_wire(struct swarm *swarm)
{
    struct sim_path *path = &swarm->world->net.standard;
    path->loss_ppm = swarm->drawn.loss_ppm;
    path->duplicate_ppm = swarm->drawn.duplicate_ppm;
    path->reorder_ppm = swarm->drawn.reorder_ppm;
    path->jitter_ns = swarm->drawn.jitter_ns;
}

static void run_safety(struct swarm *swarm)
{
    struct sim_world *world = swarm->world;
    const struct parameters *drawn = &swarm->drawn;
    uint32_t faults = 0;
    for (uint32_t i = 0; i < drawn->actions && !world->promises.broken; i++) {
        sim_run_for(world, rng_below(swarm->rng, 2 * drawn->pause_ns));
        if (rng_chance(swarm->rng, 20000)) /* now and then a rest, so that time-outs run out */
            sim_run_for(world, draw(swarm->rng, 1, 8) * SIM_NS_PER_S);
        if (faults < drawn->fault_count && rng_chance(swarm->rng, drawn->fault_ppm)) {
            faults++;
            befall(swarm);
        } else {
            act(swarm);
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

static enum sim_verdict run_liveness(struct swarm *swarm, struct sim_swarm_result *result)
{
    struct sim_world *world = swarm->world;
    sim_fault_end_all(world);
    all_listen(world);
    const bool quiet = sim_run_until_quiet(world, QUIET_LIMIT_S * SIM_NS_PER_S);
    const char *why = "";
    if (!quiet && !world->promises.broken) {
        sim_world_is_quiet(world, &why);
        str_format(result->reason, sizeof(result->reason), "no rest %d s after healing: %s",
                   QUIET_LIMIT_S, why ? why : "");
        return SIM_STUCK;
    }
    if (quiet)
        sim_promises_check_quiet(world);
    return SIM_FINE;
}

/* Promise 7: after a halt nothing of the virtual machine is left. */
static enum sim_verdict run_halt(struct swarm *swarm, struct sim_swarm_result *result)
{
    struct sim_world *world = swarm->world;
    struct message halt = {.type = TM_HALT};
    act_enrol(swarm, NULL);
    sim_run_for(world, SIM_NS_PER_S);
    struct sim_task *task = any_task(swarm);
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
    static const char *const names[] = {
#define MIX_NAME(name, text) text,
        SIM_MIX_TABLE(MIX_NAME)
#undef MIX_NAME
    };
    const struct parameters *drawn = &swarm->drawn;
    str_format(
        result->parameters, sizeof(result->parameters),
        "%s: %u hosts, %u actions, loss %.1f%%, duplicates %.1f%%, reordered %.1f%%, %u faults",
        names[drawn->mix], (unsigned)drawn->hosts, (unsigned)drawn->actions, drawn->loss_ppm / 1e4,
        drawn->duplicate_ppm / 1e4, drawn->reorder_ppm / 1e4, (unsigned)drawn->fault_count);
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
        act_enrol(swarm, NULL);
    sim_run_for(world, SIM_NS_PER_MS);
    set_wire(swarm);
    run_safety(swarm);
    result->verdict = run_liveness(swarm, result);
    if (result->verdict == SIM_FINE && !world->promises.broken)
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
    /* Every other story, without drawing: the others stay what they were. */
    world->settings.shares_memory = world->settings.shares_always = seed % 2;
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
