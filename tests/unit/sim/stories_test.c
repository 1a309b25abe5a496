/* SPDX-License-Identifier: BSD-3-Clause */
/* Stories too large for text: many hosts at once, many short lives, the same seed twice. */
#include "base/buf.h"
#include "sim/host.h"
#include "sim/script.h"
#include "sim/swarm.h"
#include "sim/task.h"

#include "tap.h"

enum { LIMIT_S = 600, MANY_HOSTS = 200, SHORT_LIVES = 1000, ANSWER_BYTES = 4000, TASK_EXIT = 1 };

static bool rest(struct sim_world *world)
{
    const bool quiet = sim_run_until_quiet(world, LIMIT_S * SIM_NS_PER_S);
    const char *why = NULL;
    if (!quiet) {
        sim_world_is_quiet(world, &why);
        printf("# no rest: %s\n", why ? why : "?");
    }
    return quiet;
}

static void end(struct sim_world *world)
{
    sim_promises_check_quiet(world);
    EQUAL(world->promises.broken, 0, "no promise was broken");
    if (world->promises.broken)
        printf("# %s", strbuf_text(&world->promises.words));
    sim_world_destroy(world);
    EQUAL(buf_live_count(), 0, "all buffers are given back");
}

/* Everybody answers one host at the same moment, through a receive buffer of 208 KiB: 800 KB of
 * payload, four times what fits. Credit spreads it. */
static void test_many_hosts(void)
{
    struct sim_world *world = sim_world_create(1);
    OK(sim_hosts_start(world, MANY_HOSTS) == 0, "200 hosts come together");
    struct sim_host *master = sim_world_host(world, "h1");
    struct sim_task *task = sim_puppet_create(master, "a");
    rest(world);
    sim_task_spawn(task, "echo", 0, "", MANY_HOSTS);
    OK(rest(world), "a task is spawned on each");
    EQUAL(task->answer.count, MANY_HOSTS, "each has a tid");
    uint32_t tids[SIM_RESULTS_MAX];
    for (size_t i = 0; i < task->answer.count; i++)
        tids[i] = (uint32_t)task->answer.results[i];
    const uint64_t dropped_before = world->net.counters.overflowed;
    const uint64_t start_ns = world->now_ns;
    sim_task_mcast(task, tids, MANY_HOSTS, 10, ANSWER_BYTES);
    while (task->received_count < MANY_HOSTS && world->now_ns < start_ns + SIM_NS_PER_S)
        sim_run_for(world, SIM_NS_PER_MS);
    const uint64_t took_ms = (world->now_ns - start_ns) / SIM_NS_PER_MS;
    const uint64_t dropped = world->net.counters.overflowed - dropped_before;
    EQUAL(task->received_count, MANY_HOSTS, "all are asked at once, all answer at once");
    OK(took_ms < 200, "in less than 200 ms");
    OK(dropped < MANY_HOSTS / 2, "few datagrams are dropped: credit spreads the answers");
    printf("# %llu ms, %llu datagrams dropped; buffer of h1 at most %zu of %llu bytes\n",
           (unsigned long long)took_ms, (unsigned long long)dropped,
           master->socket.used_bytes_max,
           (unsigned long long)world->settings.receive_buffer_bytes);
    rest(world);
    end(world);
}

/* The commonest idiom: a worker sends its result and exits at once (decision D4). */
static void test_short_lives(void)
{
    struct sim_world *world = sim_world_create(2);
    sim_hosts_start(world, 3);
    world->net.standard.jitter_ns = 500 * SIM_NS_PER_US;
    struct sim_task *task = sim_puppet_create(sim_world_host(world, "h1"), "a");
    rest(world);
    for (int i = 0; i < SHORT_LIVES / 50; i++) {
        sim_task_spawn(task, i % 2 ? "sendexit" : "sendleave", 0, "", 50);
        while (task->open_count)
            sim_run_for(world, 100 * SIM_NS_PER_US);
        uint32_t tids[50];
        for (size_t k = 0; k < task->answer.count; k++)
            tids[k] = (uint32_t)task->answer.results[k];
        sim_task_notify(task, TASK_EXIT, (int)task->answer.count, tids);
    }
    OK(rest(world), "1,000 children came and went");
    EQUAL(task->received_count, SHORT_LIVES, "each sent its message");
    EQUAL(task->notice_count, SHORT_LIVES, "each end was told");
    end(world);
}

static void test_same_seed(void)
{
    struct sim_swarm_result first, second, other;
    sim_swarm_run(11, SIM_MIX_WIRE, 0, NULL, NULL, &first);
    sim_swarm_run(11, SIM_MIX_WIRE, 0, NULL, NULL, &second);
    sim_swarm_run(12, SIM_MIX_WIRE, 0, NULL, NULL, &other);
    OK(first.hash == second.hash, "the same seed tells the same story");
    OK(first.hash != other.hash, "another tells another");
    OK(first.messages > 20, "and something happens in it");
}

int main(void)
{
    TEST(test_short_lives);
    TEST(test_many_hosts);
    TEST(test_same_seed);
    return tap_done();
}
