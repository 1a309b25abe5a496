/* SPDX-License-Identifier: BSD-3-Clause */
/* The guardian: see the header. */
#include "sim/guard.h"

#include "base/mem.h"
#include "sim/host.h"
#include "sim/proc.h"
#include "sim/world.h"

/* How soon it knows of the daemon's death; and how long a daemon has, when the lease is over and
 * its tasks were ended, to show that it is awake and knows: then it joins again. */
enum { DEATH_US = 500, GRACE_MS = 500, SIGNAL_KILL = 9 };

static struct sim_host *host_of_guard(struct sim_guard *guard)
{
    return CONTAINER_OF(guard, struct sim_host, guard);
}

/* World's, not the host's: that is no longer running. */
static void death_turn(struct sim_world *world, struct sim_event *event)
{
    struct sim_guard *guard = CONTAINER_OF(event, struct sim_guard, death_turn);
    struct sim_host *host = host_of_guard(guard);
    sim_procs_orphan(host);
    SIM_TELL(world, SIM_TRACE_HOST, host->name, "its guardian sends %zu tombstones", guard->count);
    for (size_t i = 0; i < guard->count; i++) {
        const struct sim_tombstone *tombstone = &guard->tombstones[i];
        sim_net_send(world, host, &tombstone->to, tombstone->bytes, tombstone->length);
    }
    guard->count = 0;
}

static bool lease_is_over(const struct sim_host *host)
{
    return host->guard.lease_ns != UINT64_MAX &&
           sim_host_now(host) >= host->guard.lease_ns;
}

static uint64_t lease_end_ns(const struct sim_host *host)
{
    return sim_clock_world(&host->clock, host->guard.lease_ns);
}

/* The lease was made longer many times since this was queued. */
static void lease_turn(struct sim_world *world, struct sim_event *event)
{
    struct sim_host *host = event->host;
    if (host->guard.lease_ns == UINT64_MAX)
        return;
    if (!lease_is_over(host)) {
        host->guard.is_ending = false;
        sim_at(world, event, lease_end_ns(host));
        return;
    }
    if (!host->guard.is_ending) {
        SIM_TELL(world, SIM_TRACE_HOST, host->name,
                 "its guardian ends its tasks: the lease is over");
        host->guard.is_ending = true;
        sim_children_end(host, SIGNAL_KILL);
        sim_after(world, event, GRACE_MS * SIM_NS_PER_MS);
        return;
    }
    SIM_TELL(world, SIM_TRACE_HOST, host->name, "its guardian ends it");
    sim_host_kill(host);
}

void sim_guard_init(struct sim_host *host)
{
    struct sim_guard *guard = &host->guard;
    *guard = (struct sim_guard){.lease_ns = UINT64_MAX};
    sim_event_init(&guard->lease_turn, host, lease_turn, NULL);
    guard->lease_turn.by_machine = true;
    sim_event_init(&guard->death_turn, NULL, death_turn, NULL);
}

void sim_guard_set_tombstones(struct sim_host *host, const uint64_t *peers, size_t count)
{
    struct sim_guard *guard = &host->guard;
    CHECK(mem_grow((void **)&guard->peers, &guard->peer_capacity, count,
                   sizeof(guard->peers[0])) == 0);
    for (size_t i = 0; i < count; i++)
        guard->peers[i] = peers[i];
    guard->peer_count = count;
    guard->is_stale = true;
    sim_guard_renew(host);
}

void sim_guard_renew(struct sim_host *host)
{
    struct sim_guard *guard = &host->guard;
    if (!guard->is_stale)
        return;
    guard->is_stale = false;
    guard->count = 0;
    CHECK(mem_grow((void **)&guard->tombstones, &guard->capacity, guard->peer_count,
                   sizeof(guard->tombstones[0])) == 0);
    for (size_t i = 0; i < guard->peer_count; i++) {
        struct sim_tombstone *tombstone = &guard->tombstones[guard->count];
        tombstone->length =
            mesh_tombstone(host->mesh, guard->peers[i], &tombstone->to, tombstone->bytes);
        guard->count += tombstone->length != 0;
    }
}

void sim_guard_set_lease(struct sim_host *host, uint64_t until_ns)
{
    struct sim_guard *guard = &host->guard;
    guard->lease_ns = until_ns;
    guard->is_ending = false;
    const bool is_queued = guard->lease_turn.heap.position != HEAP_NOT_QUEUED;
    if (until_ns == UINT64_MAX)
        sim_forget(host->world, &guard->lease_turn);
    else if (!is_queued || guard->lease_turn.heap.key > lease_end_ns(host))
        sim_at(host->world, &guard->lease_turn, lease_end_ns(host));
}

void sim_guard_daemon_died(struct sim_host *host)
{
    sim_forget(host->world, &host->guard.lease_turn);
    sim_after(host->world, &host->guard.death_turn, DEATH_US * SIM_NS_PER_US);
}

void sim_guard_woke(struct sim_host *host)
{
    if (sim_host_is_running(host) && !host->guard.is_ending)
        lease_turn(host->world, &host->guard.lease_turn);
}

void sim_guard_fini(struct sim_host *host)
{
    struct sim_guard *guard = &host->guard;
    sim_forget(host->world, &guard->lease_turn);
    sim_forget(host->world, &guard->death_turn);
    mem_free(guard->tombstones);
    mem_free(guard->peers);
    guard->tombstones = NULL;
    guard->peers = NULL;
    guard->count = guard->capacity = guard->peer_count = guard->peer_capacity = 0;
}
