/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of sim/fault.h: who hears whom, when machines stand still, and what they do when they go
 * on. */
#include "sim/fault.h"

#include "sim/host.h"
#include "sim/script.h"
#include "sim/task.h"
#include "sim/world.h"

#include "tap.h"

static struct sim_world *start(int hosts)
{
    struct sim_world *world = sim_world_create(3);
    sim_hosts_start(world, hosts);
    return world;
}

static int command(struct sim_world *world, const char *line)
{
    char error[200] = "";
    const int result = sim_command(world, line, error, sizeof(error));
    if (result < 0)
        printf("# %s: %s\n", line, error);
    return result;
}

static bool passes(struct sim_world *world, const char *from, const char *to)
{
    return sim_net_passes(&world->net, sim_net_place(&world->net, from),
                          sim_net_place(&world->net, to), world->now_ns);
}

static void test_sets(void)
{
    struct sim_world *world = sim_world_create(1);
    sim_host_create(world, "a", NULL, 1);
    sim_host_create(world, "b", NULL, 2);
    sim_host_create(world, "c", NULL, 3);
    sim_host_create(world, "d", NULL, 4);
    OK(command(world, "partition a,b c") == 0, "two sets");
    OK(passes(world, "a", "b") && !passes(world, "a", "c") && !passes(world, "c", "b"),
       "nothing passes from one set to another");
    OK(passes(world, "a", "d") && passes(world, "c", "d"), "who is in none hears all");
    OK(command(world, "partition a") < 0, "one set is no partition");
    command(world, "heal");
    OK(passes(world, "a", "c"), "healed");
    command(world, "isolate a");
    OK(!passes(world, "a", "b") && !passes(world, "b", "a") && passes(world, "a", "a"),
       "who is isolated hears himself");
    command(world, "heal");
    command(world, "blackout b 50");
    OK(!passes(world, "a", "b"), "dark");
    sim_run_for(world, 60 * SIM_NS_PER_MS);
    OK(passes(world, "a", "b"), "and light again");
    command(world, "half-open a b");
    OK(!passes(world, "a", "b") && passes(world, "b", "a"), "half open");
    sim_run_for(world, 2 * SIM_NS_PER_S);
    OK(passes(world, "a", "b"), "for a second");
    sim_world_destroy(world);
}

/* How many datagrams come when many were sent, in what time. */
static uint64_t arrived(const char *fault, uint64_t *last_ms)
{
    enum { DATAGRAMS = 2000 };
    struct sim_world *world = sim_world_create(9);
    struct sim_host *a = sim_host_create(world, "a", NULL, 1);
    struct sim_host *b = sim_host_create(world, "b", NULL, 2);
    const uint8_t bytes[100] = {0};
    command(world, fault);
    const uint64_t begin_ns = world->now_ns;
    uint64_t before = 0;
    for (int i = 0; i < DATAGRAMS; i++) {
        sim_net_send(world, a, &b->address, bytes, sizeof(bytes));
        sim_run_for(world, 500 * SIM_NS_PER_US);
        if (world->net.counters.received != before && last_ms && !before)
            *last_ms = (world->now_ns - begin_ns) / SIM_NS_PER_MS;
        before = world->net.counters.received;
    }
    sim_run_for(world, 5 * SIM_NS_PER_S);
    const uint64_t received = world->net.counters.received;
    sim_world_destroy(world);
    return received;
}

static void test_wire(void)
{
    uint64_t first_ms = 0;
    EQUAL(arrived("heal", NULL), 2000, "a sound wire loses nothing");
    const uint64_t burst = arrived("burst 30 10", NULL);
    OK(burst > 1000 && burst < 1700, "bursts lose about what they should");
    EQUAL(arrived("corrupt 100", NULL), 2000, "what is changed arrives all the same");
    const uint64_t clogged = arrived("clog a b 300", &first_ms);
    OK(clogged > 100 && first_ms >= 300, "what is clogged comes later");
}

static void test_standstill(void)
{
    struct sim_world *world = start(2);
    struct sim_host *host = sim_world_host(world, "h2");
    const uint64_t clock_ns = sim_host_now(host);
    OK(command(world, "suspend h2") == 0, "a machine sleeps");
    const uint64_t read = world->net.counters.received;
    sim_run_for(world, SIM_NS_PER_S);
    OK(!sim_host_has_power(host) && sim_host_is_running(host), "nothing runs there");
    command(world, "resume h2");
    OK(sim_host_now(host) > clock_ns + SIM_NS_PER_S / 2, "its clock went on");
    OK(world->net.counters.received >= read, "and it hears again");
    command(world, "freeze h2");
    OK(sim_host_has_power(host) && !sim_host_is_awake(host), "a daemon alone is stopped");
    command(world, "thaw h2");
    command(world, "starve h2 100 1000");
    int awake = 0;
    for (int i = 0; i < 1000; i++) {
        sim_run_for(world, SIM_NS_PER_MS);
        awake += sim_host_is_awake(host);
    }
    OK(awake > 20 && awake < 200, "who is starved runs a little of each period");
    sim_run_for(world, SIM_NS_PER_S);
    OK(sim_host_is_awake(host), "and all the time afterwards");
    EQUAL(world->promises.broken, 0, "and no promise was broken");
    sim_world_destroy(world);
}

static void test_addresses(void)
{
    struct sim_world *world = start(2);
    struct sim_host *host = sim_world_host(world, "h2");
    const struct mesh_address before = host->address;
    command(world, "rebind h2");
    OK(host->address.port != before.port, "another port");
    command(world, "move h2");
    OK(memcmp(host->address.ip, before.ip, 16) != 0, "another address");
    sim_world_destroy(world);
    world = sim_world_create(1);
    host = sim_host_create(world, "a", NULL, 1);
    const uint16_t port = host->address.port;
    sim_host_crash(host);
    world->settings.same_address = 1;
    struct sim_host *again = sim_host_create(world, "a", NULL, 2);
    EQUAL(again->address.port, port, "the same address again, if that is wanted");
    sim_world_destroy(world);
}

int main(void)
{
    TEST(test_sets);
    TEST(test_wire);
    TEST(test_standstill);
    TEST(test_addresses);
    return tap_done();
}
