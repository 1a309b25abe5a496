/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of sim/net.h: what paths do to datagrams, and the receive buffer that overflows. */
#include "sim/net.h"

#include "sim/host.h"
#include "sim/world.h"

#include "tap.h"

enum { DATAGRAMS = 2000, BYTES = 100 };

struct pair {
    struct sim_world *world;
    struct sim_host *a, *b; /* without nodes: sockets alone */
};

static struct pair start(void)
{
    struct pair pair = {.world = sim_world_create(5)};
    pair.a = sim_host_create(pair.world, "a", NULL, 1);
    pair.b = sim_host_create(pair.world, "b", NULL, 2);
    return pair;
}

static void send_some(struct pair *pair, int count, uint64_t gap_ns)
{
    uint8_t bytes[BYTES] = {0};
    for (int i = 0; i < count; i++) {
        sim_net_send(pair->world, pair->a, &pair->b->address, bytes, sizeof(bytes));
        sim_run_for(pair->world, gap_ns);
    }
    sim_run_for(pair->world, SIM_NS_PER_S);
}

static void test_sound(void)
{
    struct pair pair = start();
    send_some(&pair, DATAGRAMS, 10000);
    EQUAL(pair.world->net.counters.received, DATAGRAMS, "a sound path loses nothing");
    sim_world_destroy(pair.world);
}

static void test_bad(void)
{
    struct pair pair = start();
    pair.world->net.standard.loss_ppm = 100000;
    pair.world->net.standard.duplicate_ppm = 100000;
    send_some(&pair, DATAGRAMS, 10000);
    const struct sim_net_counters *counters = &pair.world->net.counters;
    OK(counters->lost > DATAGRAMS / 20 && counters->lost < DATAGRAMS / 5,
       "a path of 10 % loss loses about so many");
    EQUAL(counters->received, DATAGRAMS - counters->lost + counters->duplicated,
          "what is not lost arrives, doubles twice");
    sim_world_destroy(pair.world);
}

static void test_cut(void)
{
    struct pair pair = start();
    char error[100];
    char *words[] = {"cut-one-way", "b", "a"};
    OK(sim_fault_apply(pair.world, words, 3, error, sizeof(error)) == 0, "a path is cut");
    send_some(&pair, 10, 10000);
    EQUAL(pair.world->net.counters.received, 10, "the other direction is not");
    words[1] = "a";
    words[2] = "b";
    sim_fault_apply(pair.world, words, 3, error, sizeof(error));
    send_some(&pair, 10, 10000);
    EQUAL(pair.world->net.counters.cut, 10, "nothing passes where it is");
    sim_net_heal(&pair.world->net, pair.world->now_ns);
    send_some(&pair, 10, 10000);
    EQUAL(pair.world->net.counters.received, 20, "healed it carries again");
    sim_world_destroy(pair.world);
}

static void test_charge(void)
{
    EQUAL(sim_datagram_charge(1), 768, "the smallest datagram costs 768 bytes");
    EQUAL(sim_datagram_charge(1472), 2304, "one of an Ethernet frame 2304");
}

static void test_overflow(void)
{
    struct pair pair = start();
    const size_t charge = sim_datagram_charge(BYTES);
    const size_t room = pair.world->settings.receive_buffer_bytes / charge;
    sim_host_halt(pair.b, SIM_DAEMON_STOPPED);
    send_some(&pair, (int)room + 50, 0);
    EQUAL(pair.b->socket.count, room, "the buffer holds what fits, overhead charged");
    EQUAL(pair.world->net.counters.overflowed, 50, "the rest is dropped");
    sim_host_go_on(pair.b, SIM_DAEMON_STOPPED);
    sim_run_for(pair.world, SIM_NS_PER_S);
    EQUAL(pair.world->net.counters.received, room, "and read when the host goes on");
    EQUAL(pair.b->socket.used_bytes, 0, "then it is empty");
    sim_world_destroy(pair.world);
}

static void test_nobody(void)
{
    struct pair pair = start();
    sim_host_crash(pair.b);
    send_some(&pair, 3, 0);
    EQUAL(pair.world->net.counters.nowhere, 3, "datagrams to a host that is gone find nobody");
    sim_world_destroy(pair.world);
}

int main(void)
{
    TEST(test_sound);
    TEST(test_bad);
    TEST(test_cut);
    TEST(test_charge);
    TEST(test_overflow);
    TEST(test_nobody);
    return tap_done();
}
