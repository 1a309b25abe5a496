/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Crowds of detectors in virtual time: who lives is never removed, who is silent is removed in
 * time, who was removed does not act, and what it costs. Figures are printed as comments.
 *
 * PVM_TEST_CROWD_HOURS=100 makes the storm last so many virtual hours of 100 hosts (for
 * docs/reliability.md; about a minute each), PVM_TEST_CROWD_SEED=n repeats one.
 */
#include "crowd.h"
#include "tap.h"

#include <stdlib.h>

static struct crowd crowd;

static struct crowd_config usual(size_t nodes, uint64_t seed)
{
    return (struct crowd_config){.seed = seed,
                                 .nodes = nodes,
                                 .dead_after_ns = 5 * SECOND,
                                 .burst_ns = 60 * MS,
                                 .delay_ns = MS / 10,
                                 .drift_ppm = CROWD_DRIFT_PPM};
}

static double s(uint64_t ns)
{
    return (double)ns / 1e9;
}

static size_t pick(size_t count)
{
    return (size_t)rng_below(&crowd.chance, count);
}

/* ---- quiet ---- */

struct cost {
    double wakes_max, wakes, sent_max, sent, bytes_max;
    uint64_t voter_gap_ns, lease_left_ns;
    unsigned suspected;
};

static struct cost cost_of(double seconds)
{
    struct cost cost = {.lease_left_ns = UINT64_MAX};
    for (size_t i = 0; i < crowd.node_count; i++) {
        const struct crowd_node *node = &crowd.nodes[i];
        cost.wakes_max = MAX_OF(cost.wakes_max, (double)node->wakes / seconds);
        cost.sent_max = MAX_OF(cost.sent_max, (double)node->sent / seconds);
        cost.bytes_max = MAX_OF(cost.bytes_max, (double)node->sent_bytes / seconds);
        cost.wakes += (double)node->wakes / seconds / (double)crowd.node_count;
        cost.sent += (double)node->sent / seconds / (double)crowd.node_count;
        cost.lease_left_ns = MIN_OF(cost.lease_left_ns, node->lease_left_min_ns);
        cost.suspected += node->suspected;
        if (crowd_is_voter(&crowd, i))
            cost.voter_gap_ns = MAX_OF(cost.voter_gap_ns, node->leader_gap_ns);
    }
    return cost;
}

static void quiet(size_t nodes)
{
    enum { SECONDS = 60 };
    struct crowd_config config = usual(nodes, nodes);
    crowd_init(&crowd, &config);
    crowd_run(&crowd, 20 * SECOND);
    crowd_reset_counters(&crowd);
    crowd_run(&crowd, SECONDS * SECOND);
    struct cost cost = cost_of(SECONDS);
    printf("# %4zu hosts: a host wakes %.1f times a second (busiest %.1f), sends %.1f notes "
           "(%.1f, %.0f bytes), largest %d bytes; the oldest lease has %.2f s left\n",
           nodes, cost.wakes, cost.wakes_max, cost.sent, cost.sent_max, cost.bytes_max,
           (int)crowd.bytes_max, s(cost.lease_left_ns));
    OK(!crowd.leases_lost && !crowd.removed_alive && !cost.suspected, "nobody is suspected");
    if (nodes <= 8)
        OK(cost.wakes_max <= 5, "a quiet daemon wakes at most 5 times a second");
    OK(cost.wakes <= 7 && cost.sent <= 6, "what a host does does not grow with their number");
    OK(cost.wakes_max <= 12 + 1.3 * (double)nodes && cost.sent_max <= 12 + 1.3 * (double)nodes,
       "what a voter does grows no more than that");
    OK(cost.voter_gap_ns < SECOND, "voters hear of the leader all the time");
    /* LEASE less RIDE, and the way of a train. */
    OK(cost.lease_left_ns > 3750 * MS, "leases are young");
    OK(crowd.bytes_max <= 160, "notes are small");
    crowd_fini(&crowd);
}

static void quiet_crowds(void)
{
    static const size_t sizes[] = {2, 3, 4, 5, 7, 8, 16, 100};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        quiet(sizes[i]);
    if (getenv("PVM_TEST_CROWD_HOURS"))
        quiet(1000);
}

/* ---- silence ---- */

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t detected(const char *what, unsigned killed)
{
    qsort(crowd.detected_ns, crowd.detected_count, sizeof(uint64_t), by_value);
    size_t n = crowd.detected_count;
    OK(n == killed, "each that was killed is removed");
    if (!n)
        return UINT64_MAX;
    printf("# %s: known after %.3f s (median), %.3f s (99 %%), %.3f s (longest), of %zu\n", what,
           s(crowd.detected_ns[n / 2]), s(crowd.detected_ns[n * 99 / 100]),
           s(crowd.detected_ns[n - 1]), n);
    return crowd.detected_ns[n - 1];
}

/* Kills one after the other, leader and all, and puts new hosts in their places. */
static unsigned kill_in_turn(unsigned kills, bool tombstone)
{
    for (unsigned k = 0; k < kills; k++) {
        size_t at = k % 4 == 3 ? crowd.leader : pick(crowd.node_count);
        crowd_run(&crowd, pick(3000) * MS);
        crowd_kill(&crowd, at, tombstone);
        crowd_run(&crowd, (tombstone ? 2 : 9) * SECOND + pick(1000) * MS);
        crowd_replace(&crowd, at);
        crowd_run(&crowd, 12 * SECOND);
        crowd_replace(&crowd, at);
        crowd_run(&crowd, 3 * SECOND);
    }
    return kills;
}

static void silent_hosts(size_t nodes, uint32_t loss_ppm, uint64_t dead_after_ns)
{
    char what[80];
    struct crowd_config config = usual(nodes, nodes + loss_ppm);
    config.loss_ppm = loss_ppm;
    config.dead_after_ns = dead_after_ns;
    snprintf(what, sizeof(what), "%zu hosts, limit %.0f s, %u %% lost in bursts", nodes,
             s(dead_after_ns), loss_ppm / 10000);
    crowd_init(&crowd, &config);
    crowd_run(&crowd, 10 * SECOND);
    unsigned kills = kill_in_turn(24, false);
    uint64_t longest = detected(what, kills);
    OK(longest <= dead_after_ns, "a silent host is removed in time");
    OK(!crowd.unsafe && !crowd.removed_alive && !crowd.leases_lost, "and nobody else suffers");
    crowd_fini(&crowd);
}

static void certain_deaths(void)
{
    struct crowd_config config = usual(8, 5);
    crowd_init(&crowd, &config);
    crowd_run(&crowd, 10 * SECOND);
    unsigned kills = kill_in_turn(12, true);
    uint64_t longest = detected("8 hosts, tombstones", kills);
    OK(longest <= 50 * MS, "a certain death is known at once, the leader's as soon as there is "
                           "another one");
    OK(!crowd.unsafe && !crowd.removed_alive && !crowd.leases_lost, "and nobody else suffers");
    crowd_fini(&crowd);
}

static void silence(void)
{
    silent_hosts(3, 0, 5 * SECOND);
    silent_hosts(8, 0, 5 * SECOND);
    silent_hosts(8, 300000, 5 * SECOND);
    silent_hosts(8, 0, SECOND);
    silent_hosts(60, 0, 5 * SECOND);
    silent_hosts(60, 300000, 5 * SECOND);
    certain_deaths();
}

/* ---- the storm: nobody is silent for more than 0.7 of the limit, so nobody is removed ---- */

static void storm_fault(void)
{
    size_t a = pick(crowd.node_count), b = pick(crowd.node_count);
    switch (pick(6)) {
    case 0:
        crowd_blackout(&crowd, 2 * SECOND);
        break;
    case 1:
        crowd_freeze(&crowd, a, 3 * SECOND);
        break;
    case 2:
        crowd_freeze(&crowd, crowd.leader, 3 * SECOND);
        break;
    case 3:
        crowd_starve(&crowd, a, 5 * SECOND);
        crowd_starve(&crowd, b, 5 * SECOND);
        crowd_starve(&crowd, crowd.leader, 5 * SECOND);
        break;
    case 4: /* one way */
        crowd_cut(&crowd, a, b, 10 * SECOND);
        break;
    default: /* not transitive */
        crowd_cut(&crowd, a, b, 10 * SECOND);
        crowd_cut(&crowd, b, a, 10 * SECOND);
        break;
    }
}

static void storm(size_t nodes, uint64_t seed, uint64_t for_ns)
{
    struct crowd_config config = usual(nodes, seed);
    unsigned faults = 0, bad = 0;
    config.loss_ppm = 300000;
    config.one_by_one_ppm = 10000;
    crowd_init(&crowd, &config);
    crowd.silence_allowed_ns = 3500 * MS;
    crowd_run(&crowd, 10 * SECOND);
    for (uint64_t end_ns = crowd.now_ns + for_ns; crowd.now_ns < end_ns; faults++) {
        storm_fault();
        crowd_run(&crowd, 5 * SECOND + pick(5000) * MS);
        for (size_t i = 0; i < nodes; i++)
            crowd_replace(&crowd, i);
    }
    bad = crowd.removed_alive + crowd.leases_lost + crowd.unsafe;
    if (bad)
        printf("# seed %d: removed %u, lost their lease %u, unsafe %u\n", (int)seed,
               crowd.removed_alive, crowd.leases_lost, crowd.unsafe);
    printf("# %zu hosts, %.2f h, seed %d: %u faults, %llu notes\n", nodes, s(for_ns) / 3600,
           (int)seed, faults, (unsigned long long)crowd.messages);
    OK(!bad, "nobody is removed and nobody ends for a silence of 0.7 of the limit");
    crowd_fini(&crowd);
}

static void storms(void)
{
    const char *hours = getenv("PVM_TEST_CROWD_HOURS"), *seed = getenv("PVM_TEST_CROWD_SEED");
    if (seed) {
        storm(100, strtoull(seed, NULL, 10), 3600 * SECOND);
        return;
    }
    for (uint64_t i = 1; hours && i <= strtoull(hours, NULL, 10); i++)
        storm(100, i, 3600 * SECOND);
    if (hours)
        return;
    storm(3, 1, 1200 * SECOND);
    storm(4, 2, 1200 * SECOND);
    storm(5, 3, 1200 * SECOND);
    storm(8, 4, 1200 * SECOND);
    storm(40, 5, 600 * SECOND);
    storm(100, 6, 120 * SECOND);
}

/* ---- safety: long freezes, splits, one-way cuts, kills; new hosts come, so voters change ---- */

static void split(uint64_t for_ns, bool one_way)
{
    size_t edge = 1 + pick(crowd.node_count - 1);
    for (size_t i = 0; i < crowd.node_count; i++) {
        for (size_t j = 0; j < crowd.node_count; j++) {
            if ((i < edge) == (j < edge))
                continue;
            if (!one_way || i < edge)
                crowd_cut(&crowd, i, j, for_ns);
        }
    }
}

static void cruelty(void)
{
    size_t at = pick(crowd.node_count);
    switch (pick(6)) {
    case 0:
        crowd_freeze(&crowd, at, SECOND + pick(12000) * MS);
        break;
    case 1:
        crowd_freeze(&crowd, crowd.leader, SECOND + pick(12000) * MS);
        break;
    case 2:
        split(SECOND + pick(15000) * MS, false);
        break;
    case 3:
        split(SECOND + pick(15000) * MS, true);
        break;
    case 4:
        for (size_t i = 0; i < crowd.node_count * 2; i++)
            crowd_cut(&crowd, pick(crowd.node_count), pick(crowd.node_count),
                      SECOND + pick(15000) * MS);
        break;
    default:
        if (crowd.nodes[at].is_running)
            crowd_kill(&crowd, at, pick(2));
        break;
    }
}

static void safety(void)
{
    unsigned unsafe = 0, removed = 0, lost = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct crowd_config config = usual(2 + seed % 9, seed);
        config.loss_ppm = seed % 3 ? 0 : 200000;
        config.dead_after_ns = seed % 2 ? 5 * SECOND : SECOND;
        crowd_init(&crowd, &config);
        for (int step = 0; step < 60; step++) {
            cruelty();
            crowd_run(&crowd, pick(8000) * MS);
            for (size_t i = 0; i < crowd.node_count; i++)
                crowd_replace(&crowd, i);
        }
        if (crowd.unsafe)
            printf("# seed %d: %u could still act when they were removed\n", (int)seed,
                   crowd.unsafe);
        unsafe += crowd.unsafe;
        removed += crowd.removed_alive;
        lost += crowd.leases_lost;
        crowd_fini(&crowd);
    }
    printf("# %u running hosts were removed, %u gave up by themselves\n", removed, lost);
    OK(unsafe == 0, "nobody acts whose removal is committed");
    OK(lost > 20, "there was something to see");
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        crowd.verbose = true;
        storm(argc > 2 ? strtoull(argv[2], NULL, 10) : 8, strtoull(argv[1], NULL, 10),
              600 * SECOND);
        return tap_done();
    }
    if (!getenv("PVM_TEST_CROWD_SEED")) {
        TEST(quiet_crowds);
        TEST(silence);
        TEST(safety);
    }
    TEST(storms);
    return tap_done();
}
