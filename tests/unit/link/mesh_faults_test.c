/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two daemons over a bad network: everything arrives once and in order, whatever is lost, late,
 * doubled, changed or replayed, and whichever allocation fails.
 */
#include "net.h"
#include "tap.h"

enum { FLOWS = 4, STORY_ALLOCATIONS = 2000 };

/* What the receivers expect next, by node and flow. */
struct expected {
    uint64_t frame[2][FLOWS];
    uint64_t control[2];
    uint64_t wrong;
};

static void check_order(struct net *net, struct net_node *node, struct mesh_event *event)
{
    struct expected *expected = net->context;
    unsigned at = node->index;
    if (event->kind == MESH_FLOW_FRAME)
        expected->wrong += event->source >= FLOWS || event->destination != event->source + 1 ||
                           !net_frame_is(&event->payload, expected->frame[at][event->source]++);
    if (event->kind == MESH_CONTROL) {
        uint64_t number;
        memcpy(&number, event->payload.data, sizeof(number));
        expected->wrong += event->payload.length != 8 + number % 3000 ||
                           number != expected->control[at]++;
    }
}

static void say_number(struct net *net, unsigned from, unsigned to, uint64_t number)
{
    static uint8_t bytes[4096];
    memcpy(bytes, &number, sizeof(number));
    mesh_send_control(net->nodes[from].mesh, net_id(to), bytes, 8 + number % 3000, net->now_ns);
}

static uint64_t traffic_total(const struct net *net)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < net->count; i++)
        total += net->nodes[i].frames + net->nodes[i].controls;
    return total;
}

/* Both ways, four flows each, frames of all sizes. */
static bool run_traffic(struct net *net, struct expected *expected, unsigned rounds)
{
    for (uint64_t i = 0; i < rounds; i++) {
        for (unsigned from = 0; from < 2; from++) {
            say_number(net, from, 1 - from, i);
            for (uint32_t flow = 0; flow < FLOWS; flow++)
                net_write(net, from, 1 - from, flow, 1 + (i * 7919 + flow * 104729) % 40000, i);
        }
        net_run(net, 2 * MS);
    }
    uint64_t wanted = 2ull * rounds * (FLOWS + 1);
    for (unsigned i = 0; i < 600 && traffic_total(net) < wanted; i++)
        net_run(net, 100 * MS);
    return traffic_total(net) == wanted && expected->wrong == 0;
}

static void bad_network(void)
{
    static const struct {
        const char *what;
        uint32_t loss_ppm, reorder_ppm, repeat_ppm, flip_ppm;
        unsigned depth;
        size_t datagram;
    } cases[] = {
        {"a good network", 0, 0, 0, 0, 1, 1452},
        {"10 % loss, reordering, repetition", 100000, 200000, 50000, 0, 64, 1452},
        {"the same with large datagrams", 100000, 200000, 50000, 0, 64, 65507},
        {"30 % loss", 300000, 0, 0, 0, 1, 1452},
        {"everything reordered", 0, 900000, 0, 0, 64, 1452},
        {"everything doubled", 0, 0, 1000000, 0, 1, 9000},
        {"changed bits", 0, 0, 0, 100000, 1, 9000},
        {"all together", 50000, 300000, 100000, 30000, 32, 16000},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct net net;
        struct expected expected = {0};
        net_init(&net, 2, 100 + i);
        for (unsigned n = 0; n < 2; n++) {
            struct mesh_config config = net_config(&net, n);
            config.datagram_bytes_max = cases[i].datagram;
            config.rekey_after_ns = SECOND / 2;
            net_start(&net, n, &config);
        }
        net_join(&net, 0, 1);
        net.loss_ppm = cases[i].loss_ppm;
        net.reorder_ppm = cases[i].reorder_ppm;
        net.reorder_depth = cases[i].depth;
        net.repeat_ppm = cases[i].repeat_ppm;
        net.flip_ppm = cases[i].flip_ppm;
        net.context = &expected;
        net.on_event = check_order;
        OK(run_traffic(&net, &expected, 200), cases[i].what);
        net.loss_ppm = net.reorder_ppm = net.flip_ppm = 0;
        net_run(&net, 300 * SECOND);
        EQUAL(mesh_counters(net.nodes[0].mesh)->held_bytes +
                  mesh_counters(net.nodes[1].mesh)->held_bytes,
              0, "nothing is held in the end");
        OK(mesh_deadline(net.nodes[0].mesh) == UINT64_MAX, "and no timer runs");
        const struct mesh_counters *counters = mesh_counters(net.nodes[0].mesh);
        printf("# %s: %llu datagrams, %llu lost, %llu of them spurious, %llu timeouts, %.2f s\n",
               cases[i].what, (unsigned long long)counters->datagrams_out,
               (unsigned long long)counters->packets_lost,
               (unsigned long long)counters->packets_lost_spurious,
               (unsigned long long)counters->probe_timeouts, (double)net.now_ns / 1e9);
        net_fini(&net);
        EQUAL(buf_live_count(), 0, "no buffer is left");
    }
}

/* Every datagram is delivered a second time, much later, and once more in a later session. */
static struct net_packet *kept[4096];
static unsigned kept_count;

static bool keep_copy(struct net *net, struct net_packet *packet)
{
    if (kept_count < ARRAY_LEN(kept)) {
        struct net_packet *copy = malloc(sizeof(*copy) + packet->length);
        memcpy(copy, packet, sizeof(*copy) + packet->length);
        kept[kept_count++] = copy;
    }
    return true;
}

static void replay(void)
{
    struct net net;
    struct expected expected = {0};
    net_init(&net, 2, 200);
    net_start_all(&net);
    net_join(&net, 0, 1);
    net.context = &expected;
    net.on_event = check_order;
    net.on_packet = keep_copy;
    run_traffic(&net, &expected, 20);
    net.on_packet = NULL;
    uint64_t frames = traffic_total(&net);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < kept_count; i++) {
            mesh_receive(net.nodes[kept[i]->to].mesh, &kept[i]->source, kept[i]->bytes,
                         kept[i]->length, net.now_ns);
            net_run(&net, 0);
        }
        net_run(&net, SECOND);
        EQUAL(traffic_total(&net), frames, "replayed datagrams deliver nothing");
        EQUAL(expected.wrong, 0, "and disturb nothing");
        uint8_t psk[SEAL_KEY_BYTES] = {42};
        mesh_peer_set_psk(net.nodes[0].mesh, 2, psk, 2, net.now_ns);
        mesh_peer_set_psk(net.nodes[1].mesh, 1, psk, 2, net.now_ns);
        net_run(&net, 10 * SECOND);
    }
    OK(mesh_counters(net.nodes[0].mesh)->dropped_replayed > 10, "they are counted");
    EQUAL(net.nodes[0].downs + net.nodes[1].downs, 0, "the link stayed up");
    say_number(&net, 0, 1, 20);
    net_run(&net, SECOND);
    EQUAL(expected.control[1], 21, "and works");
    for (unsigned i = 0; i < kept_count; i++)
        free(kept[i]);
    net_fini(&net);
}

/* Datagrams of random bytes, and genuine ones cut or changed. */
static void hostile_bytes(void)
{
    struct net net;
    struct expected expected = {0};
    net_init(&net, 2, 300);
    net_start_all(&net);
    net_join(&net, 0, 1);
    net.context = &expected;
    net.on_event = check_order;
    kept_count = 0;
    net.on_packet = keep_copy;
    run_traffic(&net, &expected, 5);
    net.on_packet = NULL;
    uint64_t frames = traffic_total(&net);
    for (unsigned i = 0; i < 50000; i++) {
        static uint8_t bytes[2048];
        size_t length = rng_below(&net.rng, 300);
        const struct net_packet *base = kept[rng_below(&net.rng, kept_count)];
        for (size_t b = 0; b < length; b++)
            bytes[b] = (uint8_t)rng_next(&net.rng);
        if (i % 2) {
            length = 1 + rng_below(&net.rng, base->length);
            memcpy(bytes, base->bytes, length);
            bytes[rng_below(&net.rng, length)] ^= (uint8_t)(1 + rng_below(&net.rng, 255));
        } else if (length) {
            bytes[0] = (uint8_t)(1 + rng_below(&net.rng, 4));
        }
        mesh_receive(net.nodes[base->to].mesh, &base->source, bytes, length, net.now_ns);
    }
    net_run(&net, SECOND);
    EQUAL(traffic_total(&net), frames, "nothing of it is delivered");
    const struct mesh_counters *counters = mesh_counters(net.nodes[0].mesh);
    OK(counters->dropped_malformed && counters->dropped_unsealed && counters->dropped_unknown,
       "all of it is counted");
    say_number(&net, 0, 1, 5);
    net_run(&net, 10 * SECOND);
    EQUAL(expected.control[1], 6, "the link still works");
    for (unsigned i = 0; i < kept_count; i++)
        free(kept[i]);
    net_fini(&net);
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

/* One whole story, with the n-th allocation failing: who cannot go on says so or tries again. */
static bool story_with_failure(uint64_t nth, int repeat)
{
    struct net net;
    struct expected expected = {0};
    net_init(&net, 2, 400);
    net.context = &expected;
    net.on_event = check_order;
    struct mesh_config configs[2] = {net_config(&net, 0), net_config(&net, 1)};
    net.loss_ppm = 50000;
    bool started = true, alive;
    mem_fail_at(nth, repeat);
    for (unsigned i = 0; i < 2; i++) {
        net_start(&net, i, &configs[i]);
        started &= net.nodes[i].mesh != NULL;
    }
    if (started) {
        started &= net_introduce(&net, 0, 1, true) == 0;
        started &= net_introduce(&net, 1, 0, true) == 0;
    }
    unsigned said = 0;
    uint64_t written = 0;
    for (unsigned i = 0; started && i < 12; i++) {
        uint64_t number = said;
        uint8_t bytes[4096] = {0};
        memcpy(bytes, &number, sizeof(number));
        if (mesh_send_control(net.nodes[0].mesh, 2, bytes, 8 + number % 3000, net.now_ns) == 0)
            said++;
        if (net_write(&net, 1, 0, 1, 5000, written) == 0)
            written++;
        net_run(&net, 2 * MS);
    }
    if (repeat) { /* memory is back */
        net_run(&net, SECOND / 2);
        mem_fail_at(0, 0);
    }
    if (started) {
        for (unsigned i = 0; i < 40; i++)
            net_run(&net, 200 * MS);
    }
    alive = !started ||
            (expected.wrong == 0 && expected.control[1] == said && expected.frame[0][1] == written);
    mem_fail_at(0, 0);
    net_fini(&net);
    return alive;
}

static void failing_memory(void)
{
    unsigned wrong = 0;
    for (uint64_t nth = 1; nth < STORY_ALLOCATIONS; nth++) {
        if (!story_with_failure(nth, 0) && wrong++ < 3)
            printf("# allocation %llu\n", (unsigned long long)nth);
        if (buf_live_count() != 0 && wrong++ < 3)
            printf("# allocation %llu leaves a buffer\n", (unsigned long long)nth);
    }
    EQUAL(wrong, 0, "each allocation may fail once");
    wrong = 0;
    for (uint64_t nth = 1; nth < STORY_ALLOCATIONS; nth += 5) {
        if (!story_with_failure(nth, 1) && wrong++ < 3)
            printf("# from allocation %llu on\n", (unsigned long long)nth);
    }
    EQUAL(wrong, 0, "or all from then on, for half a second");
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

int main(void)
{
    TEST(bad_network);
    TEST(replay);
    TEST(hostile_bytes);
    TEST(failing_memory);
    return tap_done();
}
