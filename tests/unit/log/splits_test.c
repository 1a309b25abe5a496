/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The splits that must not happen: each change of voters cut into two parts at every one of its
 * steps, in every way, and its leader killed at every one of its steps. The checks of cluster.c
 * hold all along; afterwards everybody agrees again.
 */
#include "cluster.h"
#include "tap.h"

struct change {
    const char *name;
    int members;
    int voters;
    uint32_t wanted; /* bit i: member i */
    int tie;
};

#define ALL_OF(count) ((UINT32_C(2) << (count)) - 2)

static const struct change changes[] = {
    {"two become three", 3, 2, ALL_OF(3), 1},
    {"four become five", 5, 4, ALL_OF(5), 1},
    {"five become four", 5, 5, ALL_OF(4), 1},
    {"five become four, without the leader", 5, 5, ALL_OF(5) & ~UINT32_C(2), 2},
    {"the tie moves among four", 4, 4, ALL_OF(4), 4},
    {"two others take the places of two", 4, 2, 8 + 16, 4},
};

static struct cluster cluster;

/* The change asked for, and |steps| events later. False: by then it was over. */
static bool play_until(const struct change *change, uint64_t seed, int steps)
{
    cluster_begin(&cluster, seed, change->members, change->voters);
    cluster_propose(&cluster, 1, 'a');
    cluster_run_for(&cluster, 500 * MS);
    cluster_change(&cluster, 1, change->wanted, change->tie);
    for (int i = 0; i < steps; i++) {
        if (cluster_agrees(&cluster))
            return false;
        cluster_step(&cluster, UINT64_MAX);
    }
    return true;
}

/* Both sides go on trying. */
static void strive(void)
{
    for (int second = 0; second < 12; second++) {
        for (int i = 1; i <= CLUSTER_MAX; i++) {
            if (cluster.members[i].log && log_is_leader(cluster.members[i].log))
                cluster_propose(&cluster, i, (char)('a' + i));
        }
        cluster_run_for(&cluster, 1000 * MS);
    }
}

static bool comes_together(void)
{
    cluster_heal(&cluster);
    return cluster_run_until(&cluster, cluster_agrees, 30000 * MS) && !cluster.wrong;
}

static void split_everywhere(const struct change *change)
{
    unsigned stories = 0;
    unsigned bad = 0;
    for (uint32_t side = 2; side < ALL_OF(change->members); side += 2) {
        bool under_way = true;
        for (int steps = (int)(side / 2 % 3); under_way; steps += 3) {
            under_way = play_until(change, side * 1000 + (uint32_t)steps, steps);
            cluster_split(&cluster, side);
            strive();
            stories++;
            if (cluster.wrong || !comes_together()) {
                bad++;
                printf("# side %x, after %d steps: %s\n", side, steps,
                       cluster.wrong ? cluster.wrong : "no agreement");
            }
            cluster_fini(&cluster);
        }
    }
    printf("# %s: %u stories\n", change->name, stories);
    EQUAL(bad, 0, change->name);
}

static void test_splits(void)
{
    for (size_t i = 0; i < ARRAY_LEN(changes); i++)
        split_everywhere(&changes[i]);
}

static uint64_t is_there(const void *context, uint64_t id)
{
    (void)context;
    return cluster.members[id].log != NULL;
}

/* Whether those who are left can decide anything, in the view of each of them. */
static bool can_go_on(void)
{
    for (int i = 1; i <= CLUSTER_MAX; i++) {
        if (cluster.members[i].log && log_voters(cluster.members[i].log)->count &&
            !voters_agree(log_voters(cluster.members[i].log), is_there, NULL))
            return false;
    }
    return true;
}

/* The next leader, as its core would, lets only those vote who are there: a dead voter feeds nobody
 * either. */
static bool mends(void)
{
    if (!cluster_run_until(&cluster, cluster_has_leader, 20000 * MS))
        return false;
    cluster_run_for(&cluster, 5000 * MS);
    int leader = cluster_leader(&cluster);
    uint32_t voters = leader ? cluster_voters(&cluster, leader) : 0;
    for (int i = 1; i <= CLUSTER_MAX; i++) {
        if (!cluster.members[i].log)
            voters &= ~(UINT32_C(1) << i);
    }
    if (!leader || cluster_change(&cluster, leader, voters, leader) < 0)
        return false;
    return cluster_run_until(&cluster, cluster_agrees, 20000 * MS) && !cluster.wrong;
}

/* The leader dies in the middle: the next one finishes the change or never heard of it. */
static void kill_everywhere(const struct change *change, bool tombstone)
{
    unsigned bad = 0;
    unsigned stories = 0;
    bool under_way = true;
    for (int steps = 0; under_way; steps++) {
        under_way = play_until(change, (uint64_t)steps + 77, steps);
        int leader = cluster_leader(&cluster);
        if (leader) {
            cluster_kill(&cluster, leader);
            if (tombstone)
                cluster_tombstone(&cluster, leader);
        }
        bool hope = can_go_on();
        stories += hope;
        if (hope && !mends()) {
            bad++;
            printf("# after %d steps: %s\n", steps, cluster.wrong ? cluster.wrong : "no agreement");
        }
        cluster_fini(&cluster);
    }
    printf("# %s: %u deaths\n", change->name, stories);
    EQUAL(bad, 0,
          tombstone ? "a leader known to be dead in the middle of a change"
                    : "a leader dead in the middle of a change");
}

static void test_deaths(void)
{
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        kill_everywhere(&changes[i], false);
        kill_everywhere(&changes[i], true);
    }
}

int main(void)
{
    TEST(test_splits);
    TEST(test_deaths);
    return tap_done();
}
