/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Thousands of clusters, each another story drawn from its seed: loss, repetition, reordering,
 * cuts, deaths with and without tombstones, newcomers, changes of voters, transfers, snapshots,
 * allocations that fail. The checks are in cluster.c; here, that after each story the cluster comes
 * to agree again.
 *
 *   log_cluster_test [FIRST_SEED [SEEDS]]      one seed alone also tells where everybody stands
 */
#include "base/mem.h"
#include "cluster.h"
#include "tap.h"

#include <stdlib.h>

static bool is_there(const struct cluster *cluster, int member)
{
    return cluster->members[member].log != NULL;
}

static int draw_member(struct cluster *cluster)
{
    for (int tries = 0; tries < 100; tries++) {
        int member = 1 + (int)rng_below(&cluster->rng, CLUSTER_MAX);
        if (is_there(cluster, member))
            return member;
    }
    return 1;
}

static int count_members(const struct cluster *cluster)
{
    int count = 0;
    for (int i = 1; i <= CLUSTER_MAX; i++)
        count += is_there(cluster, i);
    return count;
}

struct absence {
    const struct cluster *cluster;
    int victim;
};

static uint64_t stays(const void *context, uint64_t id)
{
    const struct absence *absence = context;
    return is_there(absence->cluster, (int)id) && (int)id != absence->victim;
}

/* A death may not take the majority of anybody's view: then nothing could be promised. */
static bool may_die(const struct cluster *cluster, int victim)
{
    struct absence absence = {cluster, victim};
    for (int i = 1; i <= CLUSTER_MAX; i++) {
        if (is_there(cluster, i) && log_voters(cluster->members[i].log)->count &&
            !voters_agree(log_voters(cluster->members[i].log), stays, &absence))
            return false;
    }
    return true;
}

/* ---- what happens ---- */

static void do_propose(struct cluster *cluster)
{
    for (int i = 1; i <= CLUSTER_MAX; i++) {
        if (is_there(cluster, i) && log_is_leader(cluster->members[i].log))
            cluster_propose(cluster, i, (char)('a' + rng_below(&cluster->rng, 26)));
    }
}

static void do_change(struct cluster *cluster)
{
    int leader = cluster_leader(cluster);
    uint32_t voters = 0;
    int tie = 0;
    size_t wanted = 1 + rng_below(&cluster->rng, LOG_VOTERS_MAX);
    for (size_t i = 0; i < wanted; i++) {
        tie = draw_member(cluster);
        voters |= UINT32_C(1) << tie;
    }
    if (leader)
        cluster_change(cluster, leader, voters, tie);
}

static void do_kill(struct cluster *cluster)
{
    int victim = rng_chance(&cluster->rng, 500000) && cluster_leader(cluster)
                     ? cluster_leader(cluster)
                     : draw_member(cluster);
    if (count_members(cluster) < 3 || !may_die(cluster, victim))
        return;
    cluster_kill(cluster, victim);
    if (rng_chance(&cluster->rng, 500000))
        cluster_tombstone(cluster, victim);
}

static void do_join(struct cluster *cluster)
{
    for (int i = 2; i <= CLUSTER_MAX; i++) {
        /* an id is used once */
        if (!is_there(cluster, i) && !cluster->members[i].was_used) {
            cluster_join(cluster, i);
            return;
        }
    }
}

static void do_split(struct cluster *cluster)
{
    cluster_split(cluster, (uint32_t)rng_next(&cluster->rng));
}

static void do_cut(struct cluster *cluster)
{
    int a = draw_member(cluster);
    int b = draw_member(cluster);
    cluster->is_cut[a][b] = true; /* one way */
}

static void do_heal(struct cluster *cluster)
{
    cluster_heal(cluster);
}

static void do_compact(struct cluster *cluster)
{
    cluster_compact(cluster, draw_member(cluster));
}

static void do_transfer(struct cluster *cluster)
{
    int leader = cluster_leader(cluster);
    if (!leader)
        return;
    log_transfer(cluster->members[leader].log, rng_below(&cluster->rng, CLUSTER_MAX + 1),
                 cluster->now_ns);
    cluster_flush(cluster, leader);
}

/* One allocation soon fails, whoever makes it. */
static void do_starve(struct cluster *cluster)
{
    mem_fail_at(1 + rng_below(&cluster->rng, 200), 0);
}

static const struct {
    void (*act)(struct cluster *cluster);
    unsigned weight;
} acts[] = {{do_propose, 30}, {do_change, 10}, {do_kill, 3},    {do_join, 4},     {do_split, 6},
            {do_cut, 6},      {do_heal, 12},   {do_compact, 8}, {do_transfer, 5}, {do_starve, 10}};

static void act(struct cluster *cluster)
{
    unsigned total = 0;
    for (size_t i = 0; i < ARRAY_LEN(acts); i++)
        total += acts[i].weight;
    uint64_t drawn = rng_below(&cluster->rng, total);
    size_t i = 0;
    for (; drawn >= acts[i].weight; i++)
        drawn -= acts[i].weight;
    acts[i].act(cluster);
}

/* ---- a story ---- */

static void run_story(struct cluster *cluster, uint64_t seed)
{
    struct rng draw;
    rng_seed(&draw, seed ^ UINT64_C(0xc1a57e4));
    int count = 1 + (int)rng_below(&draw, 9);
    int voters = 1 + (int)rng_below(&draw, (uint64_t)MIN_OF(count, LOG_VOTERS_MAX));
    cluster_begin(cluster, seed, count, voters);
    cluster->loss_ppm = (uint32_t)rng_below(&draw, 4) * 70000;
    cluster->repeat_ppm = (uint32_t)rng_below(&draw, 3) * 50000;
    cluster->delay_spread_ns = (1 + rng_below(&draw, 400)) * MS;
    cluster->without_tree = rng_chance(&draw, 200000);
    uint64_t steps = 20 + rng_below(&draw, 60);
    for (uint64_t i = 0; i < steps && !cluster->wrong; i++) {
        act(cluster);
        cluster_run_for(cluster, rng_below(&draw, 2000) * MS);
    }
}

/* What the master would do: whoever votes and is dead is replaced, all get entries. */
static void mend(struct cluster *cluster)
{
    int leader = cluster_leader(cluster);
    uint32_t wanted = 0;
    size_t count = 0;
    if (!leader)
        return;
    for (int i = 1; i <= CLUSTER_MAX; i++) {
        if (!is_there(cluster, i))
            continue;
        log_follower_ask(cluster->members[leader].log, (uint64_t)i);
        if (count < LOG_VOTERS_MAX) {
            wanted |= UINT32_C(1) << i;
            count++;
        }
    }
    if (!(wanted >> leader & 1))
        wanted = UINT32_C(1) << leader;
    cluster_change(cluster, leader, wanted, leader);
}

static const char *settle(struct cluster *cluster)
{
    mem_fail_at(0, 0);
    cluster->loss_ppm = cluster->repeat_ppm = 0;
    cluster->delay_spread_ns = 10 * MS;
    cluster->without_tree = false;
    cluster_heal(cluster);
    if (!cluster_run_until(cluster, cluster_has_leader, 60000 * MS))
        return cluster->wrong ? cluster->wrong : "no leader after the end of all faults";
    cluster_run_for(cluster, 20000 * MS);
    mend(cluster);
    if (!cluster_run_until(cluster, cluster_agrees, 60000 * MS))
        return cluster->wrong ? cluster->wrong : "no agreement after the end of all faults";
    uint64_t index = cluster_propose(cluster, cluster_leader(cluster), 'z');
    if (!index || !cluster_run_until(cluster, cluster_agrees, 10000 * MS))
        return "a command is not taken after the end of all faults";
    int leader = cluster_leader(cluster);
    cluster_run_for(cluster, 20000 * MS);
    if (cluster_leader(cluster) != leader)
        return "the leader changed for no reason";
    return cluster->wrong;
}

/* Where everybody stands, for one who looks into a seed. */
static void tell(const struct cluster *cluster)
{
    for (int i = 1; i <= CLUSTER_MAX; i++) {
        const struct log *log = cluster->members[i].log;
        if (!log)
            continue;
        printf(
            "# %d: role %d, term %llu, leader %llu, base %llu, commit %llu, applied %llu of %llu,"
            " voters %x tie %llu, old %zu\n",
            i, (int)log->role, (unsigned long long)log->term, (unsigned long long)log->leader,
            (unsigned long long)log->base_index, (unsigned long long)log->commit_index,
            (unsigned long long)log->applied_index, (unsigned long long)log_last_index(log),
            cluster_voters(cluster, i), (unsigned long long)log->voters.tie, log->voters.old_count);
        for (size_t f = 0; f < log->followers.count; f++) {
            const struct follower *follower = log->followers.entries[f].value;
            printf("#     gives %llu (%d): next %llu, match %llu, applied %llu\n",
                   (unsigned long long)follower->id, follower->why,
                   (unsigned long long)follower->next_index,
                   (unsigned long long)follower->match_index,
                   (unsigned long long)follower->applied_index);
        }
    }
}

static void run_seeds(uint64_t first, uint64_t count)
{
    static struct cluster cluster;
    uint64_t messages = 0;
    uint64_t failed = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        run_story(&cluster, seed);
        const char *wrong = cluster.wrong ? cluster.wrong : settle(&cluster);
        messages += cluster.messages;
        if (wrong && count == 1)
            tell(&cluster);
        if (wrong && failed++ < 10)
            printf("# seed %llu: %s\n", (unsigned long long)seed, wrong);
        cluster_fini(&cluster);
    }
    printf("# %llu stories from seed %llu, %llu messages\n", (unsigned long long)count,
           (unsigned long long)first, (unsigned long long)messages);
    EQUAL(failed, 0, "every story kept the rules and came to an end");
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000;
    run_seeds(first, count);
    return tap_done();
}
