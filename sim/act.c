/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tasks of a drawn story do: each action is a function in a table, drawn by weight. */
#include "sim/swarm_state.h"

#include "sim/host.h"
#include "sim/mbox.h"
#include "sim/program.h"
#include "sim/script.h"

enum {
    TASKS_MAX = 60,          /* of all hosts together, before no more are spawned */
    MAILBOX_WAITS_MAX = 400, /* requests, after which nobody waits any more */
    SIGNAL_TERM = 15, SIGNAL_KILL = 9
};

uint32_t swarm_draw(struct rng *rng, uint32_t min, uint32_t max)
{
    return min + (uint32_t)rng_below(rng, (uint64_t)max - min + 1);
}

/* ---- choosing ---- */

static bool task_can_act(const struct sim_task *task)
{
    return sim_task_is_enrolled(task) && !task->exiting;
}

/* A living task of the world, or NULL: each with the same chance. */
struct sim_task *swarm_any_task(struct swarm *swarm)
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

struct sim_host *swarm_any_host(struct swarm *swarm)
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
    const struct sim_task *task = swarm_any_task(swarm);
    return task ? task->tid : 0;
}

size_t swarm_task_count(const struct sim_world *world)
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
        return swarm_draw(swarm->rng, 60000, 400000);
    return swarm_draw(swarm->rng, 0, rng_chance(swarm->rng, 200000) ? 8000 : 200);
}

static void act_send(struct swarm *swarm, struct sim_task *task)
{
    const uint32_t tid = any_tid(swarm);
    for (uint32_t i = swarm_draw(swarm->rng, 1, 6); i > 0; i--)
        sim_task_send(task, tid, (int)swarm_draw(swarm->rng, 0, 9) * 2, any_size(swarm));
}

static void act_mcast(struct swarm *swarm, struct sim_task *task)
{
    uint32_t tids[12];
    int count = 0;
    for (uint32_t i = swarm_draw(swarm->rng, 1, 12); i > 0; i--) {
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
    if (swarm_task_count(swarm->world) >= TASKS_MAX)
        return;
    const char *file = files[rng_below(swarm->rng, ARRAY_LEN(files))];
    const struct sim_host *host = swarm_any_host(swarm);
    const bool placed = host && rng_chance(swarm->rng, 300000);
    sim_task_spawn(task, file, placed ? 1 : 0, placed ? host->name : "",
                   (int)swarm_draw(swarm->rng, 1, 5));
}

static void act_notify(struct swarm *swarm, struct sim_task *task)
{
    uint32_t tids[3];
    const int count = (int)swarm_draw(swarm->rng, 1, 3);
    const int what = (int)swarm_draw(swarm->rng, 1, 3);
    for (int i = 0; i < count; i++) {
        const struct sim_host *host = what == 2 ? swarm_any_host(swarm) : NULL;
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
    struct sim_task *watcher = swarm_any_task(swarm);
    const uint32_t tid = task->tid;
    const uint32_t watcher_tid = watcher ? watcher->tid : 0;
    if (!watcher || watcher == task || swarm_task_count(swarm->world) < 4)
        return;
    sim_task_notify(watcher, 1, 1, &tid);
    sim_run_for(swarm->world, rng_below(swarm->rng, 2 * SIM_NS_PER_MS));
    /* Meanwhile either may have ended. */
    if (sim_world_task(swarm->world, tid) != task || !task_can_act(task))
        return;
    for (uint32_t i = swarm_draw(swarm->rng, 1, 4); i > 0; i--)
        sim_task_send(task, watcher_tid, 2, rng_chance(swarm->rng, 300000)
                                                 ? swarm_draw(swarm->rng, 20000, 150000)
                                                 : any_size(swarm));
    if (rng_chance(swarm->rng, 700000))
        sim_task_exit(task);
    else
        sim_proc_end(task->proc, rng_chance(swarm->rng, 500000) ? 0 : SIGNAL_KILL);
}

static void act_ask(struct swarm *swarm, struct sim_task *task)
{
    struct message message = {.type = TM_CONFIG};
    const struct sim_host *host = swarm_any_host(swarm);
    switch (swarm_draw(swarm->rng, 0, 4)) {
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
    if (sim_world_host_count(swarm->world) >= swarm->drawn.hosts + 3 ||
        !rng_chance(swarm->rng, 300000))
        return;
    const bool again = rng_chance(swarm->rng, 400000);
    str_format(name, sizeof(name), "h%u",
               again ? (unsigned)swarm_draw(swarm->rng, 1, swarm->host_names)
                     : (unsigned)++swarm->host_names);
    sim_task_addhosts(task, names, 1);
}

static void act_delete(struct swarm *swarm, struct sim_task *task)
{
    const struct sim_host *host = swarm_any_host(swarm);
    char name[256];
    char *names[1] = {name};
    if (!host || sim_world_host_count(swarm->world) < 3 || !rng_chance(swarm->rng, 150000))
        return;
    str_copy(name, sizeof(name), host->name);
    sim_task_delhosts(task, names, 1);
}

/* Mailboxes: see mbox.h. */
static void act_mailbox(struct swarm *swarm, struct sim_task *task)
{
    const enum sim_mbox_what what = (enum sim_mbox_what)rng_below(swarm->rng, SIM_MBOX_WHATS);
    const uint32_t number = swarm_draw(swarm->rng, 1, 20);
    if (what == SIM_MBOX_AWAIT && swarm->world->promises.mboxes->asked > MAILBOX_WAITS_MAX)
        return;
    sim_mbox_ask(task, what, number, any_size(swarm) % 2000);
}

/* A program that computes for a while and reads nothing. */
static void act_deaf(struct swarm *swarm, struct sim_task *task)
{
    sim_task_set_deaf(task, !task->deaf);
}

void swarm_enrol(struct swarm *swarm, struct sim_task *task)
{
    struct sim_host *host = swarm_any_host(swarm);
    char name[32];
    if (!host || swarm_task_count(swarm->world) >= TASKS_MAX)
        return;
    str_format(name, sizeof(name), "user.%llu", (unsigned long long)++swarm->world->serial);
    sim_puppet_create(host, name);
}

static const struct {
    uint32_t weight;
    void (*act)(struct swarm *swarm, struct sim_task *task);
} acts[] = {
    {40, act_send}, {8, act_mcast}, {14, act_spawn}, {14, act_notify}, {10, act_exit},
    {8, act_ask},   {3, act_signal}, {4, act_add},   {4, act_delete},  {3, swarm_enrol},
    {4, act_deaf},  {5, act_last_words}, {16, act_mailbox},
};

void swarm_act(struct swarm *swarm)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < ARRAY_LEN(acts); i++)
        sum += acts[i].weight;
    uint32_t at = (uint32_t)rng_below(swarm->rng, sum);
    struct sim_task *task = swarm_any_task(swarm);
    size_t i = 0;
    while (at >= acts[i].weight)
        at -= acts[i++].weight;
    if (task)
        acts[i].act(swarm, task);
}
