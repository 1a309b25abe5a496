/* SPDX-License-Identifier: BSD-3-Clause */
/* Promises about hosts: one sequence of tables, who may act, who may be removed. See promise.h. */
#include "sim/promise.h"

#include "base/mem.h"
#include "sim/host.h"
#include "sim/proc.h"
#include "sim/task.h"
#include "sim/world.h"

/* What an index of the log made, as the first who applied it has it. */
struct applied {
    uint64_t hash;
    struct sim_host *first;
};

/* Who led a term. */
struct leader {
    struct sim_host *host;
    uint64_t epoch;
};

enum { CHECKED_HOSTS_MAX = 64, CHECKED_EVERY = 64 };

/* A host may be removed when a fault struck it, or the ways, no longer ago than it takes to remove
 * one: this much more than dead_after. */
#define TROUBLE_NS (2 * SIM_NS_PER_S)

void sim_promise_hosts_init(struct sim_promises *promises)
{
    map_init(&promises->applied);
    map_init(&promises->terms);
    map_init(&promises->drops);
}

void sim_promise_hosts_fini(struct sim_promises *promises)
{
    for (size_t i = 0; i < promises->applied.count; i++)
        mem_free(promises->applied.entries[i].value);
    for (size_t i = 0; i < promises->terms.count; i++)
        mem_free(promises->terms.entries[i].value);
    map_fini(&promises->applied);
    map_fini(&promises->terms);
    map_fini(&promises->drops);
}

uint64_t sim_host_state_hash(const struct sim_host *host)
{
    return node_table_hash(host->node) * UINT64_C(0x9e3779b97f4a7c15) ^ node_mbox_hash(host->node);
}

static void check_applied(struct sim_world *world, struct sim_host *host)
{
    struct map *map = &world->promises.applied;
    struct applied *applied = map_get(map, host->applied);
    const uint64_t hash = sim_host_state_hash(host);
    if (!applied) {
        applied = mem_calloc(1, sizeof(*applied));
        CHECK(applied && map_put(map, host->applied, applied) == 0);
        *applied = (struct applied){hash, host};
    } else if (applied->hash != hash) {
        sim_promise_broken(world, "%s made something else of command %llu than %s", host->name,
                           (unsigned long long)host->applied, applied->first->name);
    }
}

/* Nobody leads a term that another led (Raft 3.4: election safety). */
static void check_leader(struct sim_world *world, struct sim_host *host)
{
    const uint64_t term = node_leads(host->node);
    if (term == host->leads)
        return;
    if (term)
        SIM_TELL(world, SIM_TRACE_HOST, host->name, "leads term %llu", (unsigned long long)term);
    else
        SIM_TELL(world, SIM_TRACE_HOST, host->name, "leads no more");
    host->leads = term;
    if (!term)
        return;
    const uint64_t epoch = host->epoch;
    const struct leader *known = map_get(&world->promises.terms, term);
    if (known && known->epoch != epoch) {
        sim_promise_broken(world, "%s leads term %llu, which %s led", host->name,
                           (unsigned long long)term, known->host->name);
    } else if (!known) {
        struct leader *leader = mem_calloc(1, sizeof(*leader));
        CHECK(leader && map_put(&world->promises.terms, term, leader) == 0);
        *leader = (struct leader){host, epoch};
        world->promises.leaders++;
    }
}

void sim_promise_stepped(struct sim_world *world, struct sim_host *host)
{
    check_leader(world, host);
    const uint64_t index = node_applied_index(host->node);
    if (index == host->applied)
        return;
    if (index < host->applied)
        sim_promise_broken(world, "%s has applied %llu commands, and had %llu", host->name,
                           (unsigned long long)index, (unsigned long long)host->applied);
    host->applied = index;
    world->promises.applied_max = MAX_OF(world->promises.applied_max, index);
    host->tid = node_daemon_tid(host->node) & TID_HOST;
    /* In a large world every so many will do: it is a walk over all that is known. */
    if (index && (node_host_count(host->node) <= CHECKED_HOSTS_MAX || index % CHECKED_EVERY == 0))
        check_applied(world, host);
}

/* There is a way between them, directly or by one other who could pass things on. */
static bool is_connected(const struct sim_world *world, const struct sim_host *a,
                         const struct sim_host *b)
{
    const struct sim_net *net = &world->net;
    if (sim_net_passes(net, a->place, b->place, world->now_ns) &&
        sim_net_passes(net, b->place, a->place, world->now_ns))
        return true;
    LIST_EACH(pos, following, &world->hosts) {
        const struct sim_host *c = LIST_ENTRY(pos, struct sim_host, link);
        if (sim_host_is_awake(c) && !c->removed && !c->mute &&
            sim_net_passes(net, a->place, c->place, world->now_ns) &&
            sim_net_passes(net, c->place, a->place, world->now_ns) &&
            sim_net_passes(net, b->place, c->place, world->now_ns) &&
            sim_net_passes(net, c->place, b->place, world->now_ns))
            return true;
    }
    return false;
}

static bool has_trouble(const struct sim_world *world, const struct sim_host *host,
                        const struct sim_host *by)
{
    const uint64_t lately_ns = world->settings.dead_after_ns + TROUBLE_NS;
    if (host->standstill || host->mute || host->stopping || host->leaving)
        return true;
    if (host->troubled_ns + lately_ns > world->now_ns ||
        world->net.changed_ns + lately_ns > world->now_ns)
        return true;
    return !is_connected(world, host, by);
}

/* Children alone: what a user started by hand is not the guardian's to end; it acts through its
 * daemon or not at all. */
static size_t tasks_that_run(const struct sim_host *host)
{
    size_t count = 0;
    LIST_EACH(pos, following, &host->procs) {
        const struct sim_proc *proc = LIST_ENTRY(pos, struct sim_proc, link);
        count += proc->ticket && proc->task && !proc->ended && sim_task_is_enrolled(proc->task);
    }
    return count;
}

void sim_promise_dropped(struct sim_world *world, struct sim_host *host, uint64_t epoch)
{
    struct sim_host *gone = sim_host_of_epoch(world, epoch);
    if (gone && gone != host && node_is_member(host->node) &&
        !map_get2(&world->promises.drops, host->serial, epoch)) {
        CHECK(map_put2(&world->promises.drops, host->serial, epoch, gone) == 0);
        SIM_TELL(world, SIM_TRACE_HOST, host->name, "drops %s", gone->name);
    }
    /* Who joins drops those whom it asked; who could not join is dropped and was no host. */
    if (!gone || gone == host || gone->epoch != epoch || !node_is_member(host->node))
        return;
    if (sim_host_is_running(gone) && !node_is_member(gone->node) && !gone->removed)
        return;
    if (gone->removed || host->leaving || host->removed)
        return;
    gone->removed = true;
    gone->removed_ns = world->now_ns;
    if (!sim_host_is_running(gone) || gone->leaving)
        return;
    world->promises.removals++;
    if (!has_trouble(world, gone, host)) {
        world->promises.removals_false++;
        sim_promise_broken(world, "%s removes %s, which is there and could be heard", host->name,
                           gone->name);
    }
    if (sim_host_has_power(gone) && tasks_that_run(gone))
        sim_promise_broken(world, "%s is removed while %zu tasks of it run", gone->name,
                           tasks_that_run(gone));
}

/* The lease of |host| is over: that must have a reason, as a removal must. */
void sim_promise_gives_up(struct sim_world *world, const struct sim_host *host)
{
    const struct sim_host *master = NULL;
    world->promises.rejoins++;
    if (host->removed)
        return; /* it is right, and what removed it was looked at then */
    LIST_EACH(pos, following, &world->hosts) {
        const struct sim_host *other = LIST_ENTRY(pos, struct sim_host, link);
        if (other != host && sim_host_is_awake(other) && node_leads(other->node))
            master = other;
    }
    if (master && !has_trouble(world, host, master) && !has_trouble(world, master, host))
        sim_promise_broken(world, "%s gives itself up, and could hear %s", host->name,
                           master->name);
}

void sim_promise_acts(struct sim_world *world, const struct sim_host *host, const char *who)
{
    if (host->removed && !host->leaving)
        sim_promise_broken(world, "%s acts on %s, which was removed", who, host->name);
}
