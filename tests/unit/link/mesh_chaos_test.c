/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Four daemons, and everything that can happen to links in a random order: ways break and heal in
 * one direction or both, losses, addresses, keys, sleep, long silence, notes. In the end all is
 * healed: then every frame and message must arrive, once and in order, and all must come to rest.
 *
 * mesh_chaos_test [first seed [count]]
 */
#include "net.h"
#include "tap.h"

#include "link/link.h"

enum { NODES = 4, STEPS = 60, SEEDS = 150 };

static struct net net;
static bool broken[NODES][NODES];
static uint64_t frames_written[NODES][NODES], frames_next[NODES][NODES];
static uint64_t words_written[NODES][NODES], words_next[NODES][NODES];
static uint64_t wrong;
static uint32_t psk_epoch;

static bool is_passable(struct net *net_, struct net_packet *packet)
{
    return !broken[packet->from][packet->to];
}

static void check_order(struct net *net_, struct net_node *node, struct mesh_event *event)
{
    unsigned from = (unsigned)event->peer - 1;
    if (event->kind == MESH_FLOW_FRAME)
        wrong += !net_frame_is(&event->payload, frames_next[from][node->index]++);
    if (event->kind == MESH_CONTROL)
        wrong += event->payload.length != 1 + words_next[from][node->index]++ % 5000;
    if (event->kind == MESH_TOMBSTONE)
        wrong++;
}

static unsigned draw(unsigned below)
{
    return (unsigned)rng_below(&net.rng, below);
}

static void start(uint64_t seed)
{
    net_init(&net, NODES, seed);
    memset(broken, 0, sizeof(broken));
    memset(frames_written, 0, sizeof(frames_written));
    memset(frames_next, 0, sizeof(frames_next));
    memset(words_written, 0, sizeof(words_written));
    memset(words_next, 0, sizeof(words_next));
    wrong = 0;
    psk_epoch = 1;
    for (unsigned i = 0; i < NODES; i++) {
        struct mesh_config config = net_config(&net, i);
        config.datagram_bytes_max = seed % 3 ? 1452 : 16000;
        config.rekey_after_ns = 20 * SECOND;
        config.receive_buffer_bytes = seed % 2 ? 212992 : 4 << 20;
        net_start(&net, i, &config);
    }
    for (unsigned a = 0; a < NODES; a++)
        for (unsigned b = a + 1; b < NODES; b++)
            net_join(&net, a, b);
    net.on_packet = is_passable;
    net.on_event = check_order;
    net.jitter_ns = MS;
    net.reorder_depth = 8;
}

static void say_things(void)
{
    static uint8_t text[5000];
    unsigned from = draw(NODES), to = (from + 1 + draw(NODES - 1)) % NODES;
    for (unsigned i = draw(6); i > 0; i--)
        net_write(&net, from, to, from, 1 + draw(60000), frames_written[from][to]++);
    for (unsigned i = draw(3); i > 0; i--)
        mesh_send_control(net.nodes[from].mesh, net_id(to), text,
                          1 + words_written[from][to]++ % 5000, net.now_ns);
    if (draw(2))
        mesh_send_note(net.nodes[from].mesh, net_id(to), "note", 4, net.now_ns);
}

static void change_psk(void)
{
    uint8_t psk[SEAL_KEY_BYTES] = {(uint8_t)draw(256)};
    psk_epoch++;
    for (unsigned a = 0; a < NODES; a++)
        for (unsigned b = 0; b < NODES; b++)
            if (a != b)
                mesh_peer_set_psk(net.nodes[a].mesh, net_id(b), psk, psk_epoch, net.now_ns);
}

/* The daemon notices that its address changed and says a word to all, as detectors do. */
static void move(unsigned who)
{
    net.nodes[who].address = net_address(10 + draw(200));
    for (unsigned i = 0; i < NODES; i++) {
        if (i != who)
            mesh_send_note(net.nodes[who].mesh, net_id(i), "moved", 5, net.now_ns);
    }
}

static void step(void)
{
    unsigned a = draw(NODES), b = (a + 1 + draw(NODES - 1)) % NODES;
    switch (draw(12)) {
    case 0:
    case 1:
        broken[a][b] = true;
        broken[b][a] = draw(2);
        break;
    case 2:
    case 3:
        broken[a][b] = broken[b][a] = false;
        break;
    case 4:
        net.loss_ppm = draw(2) ? draw(200000) : 0;
        net.reorder_ppm = draw(2) ? 100000 : 0;
        net.repeat_ppm = draw(2) ? 50000 : 0;
        net.flip_ppm = draw(4) ? 0 : 20000;
        break;
    case 5:
        change_psk();
        break;
    case 6:
        move(a);
        break;
    case 7:
        net_run(&net, (1 + draw(200)) * SECOND);
        break;
    case 8: /* one sleeps */
        net.nodes[a].asleep = true;
        heap_set(&net.timers, &net.nodes[a].timer, UINT64_MAX);
        net_run(&net, (1 + draw(100)) * SECOND);
        net.nodes[a].asleep = false;
        break;
    default:
        say_things();
        break;
    }
    net_run(&net, (1 + draw(300)) * MS);
}

static uint64_t missing(void)
{
    uint64_t count = 0;
    for (unsigned a = 0; a < NODES; a++)
        for (unsigned b = 0; b < NODES; b++)
            count += frames_written[a][b] - frames_next[a][b] + words_written[a][b] -
                     words_next[a][b];
    return count;
}

/* The seconds that it took to bring everything after the network was healed; 0 = it did not. */
static unsigned settle(void)
{
    memset(broken, 0, sizeof(broken));
    /* All are where everybody knows them to be: else two that moved could never meet again. */
    for (unsigned i = 0; i < NODES; i++)
        net.nodes[i].address = net_address(i);
    net.loss_ppm = net.reorder_ppm = net.repeat_ppm = net.flip_ppm = 0;
    for (unsigned second = 1; second <= 120; second++) {
        net_run(&net, SECOND);
        if (missing() == 0)
            return second;
    }
    return 0;
}

static bool all_rest(void)
{
    net_run(&net, 600 * SECOND);
    for (unsigned i = 0; i < NODES; i++) {
        const struct mesh *mesh = net.nodes[i].mesh;
        if (mesh->sessions.count || mesh->counters.held_bytes || mesh->passing_bytes ||
            mesh_deadline(mesh) != UINT64_MAX)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : SEEDS;
    unsigned bad = 0, worst = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        start(seed);
        for (unsigned i = 0; i < STEPS; i++)
            step();
        unsigned seconds = settle();
        bool rests = seconds && all_rest();
        worst = MAX_OF(worst, seconds);
        if (seconds == 0 || wrong || !rests) {
            printf("# seed %llu: %llu missing, %llu wrong%s\n", (unsigned long long)seed,
                   (unsigned long long)missing(), (unsigned long long)wrong,
                   rests ? "" : ", no rest");
            bad++;
        }
        net_fini(&net);
        bad += buf_live_count() != 0;
    }
    printf("# %llu seeds, the last frame at most %u s after the network was whole again\n",
           (unsigned long long)count, worst);
    EQUAL(bad, 0, "everything arrives once and in order, and comes to rest");
    return tap_done();
}
