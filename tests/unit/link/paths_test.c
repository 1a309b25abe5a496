/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses that change in mid transfer: either side's, both at once, again and again. */
#include "net.h"
#include "tap.h"

#include "link/link.h"

enum { FRAME_BYTES = 50000, FRAMES = 60 };

static struct net net;
static uint64_t next_frame[2], wrong;

static void check_frame(struct net *net_, struct net_node *node, struct mesh_event *event)
{
    if (event->kind == MESH_FLOW_FRAME)
        wrong += node->index > 1 || !net_frame_is(&event->payload, next_frame[node->index]++);
}

static void start(unsigned count, uint64_t seed)
{
    next_frame[0] = next_frame[1] = wrong = 0;
    net_init(&net, count, seed);
    net_start_all(&net);
    for (unsigned a = 0; a < count; a++) {
        for (unsigned b = a + 1; b < count; b++) {
            net_join(&net, a, b);
            net_say(&net, a, b, "x");
        }
    }
    net.on_event = check_frame;
    net_run(&net, SECOND);
}

static void both_write(unsigned frames)
{
    for (unsigned from = 0; from < 2; from++) {
        for (unsigned i = 0; i < frames; i++)
            net_write(&net, from, 1 - from, 1, FRAME_BYTES, i);
    }
}

static bool all_arrive(uint64_t for_ns)
{
    return net_await(&net, &next_frame[0], FRAMES, for_ns) &&
           net_await(&net, &next_frame[1], FRAMES, for_ns) && wrong == 0;
}

static void one_side_moves(void)
{
    uint64_t worst_ns = 0;
    bool all = true, up = true;
    for (uint64_t seed = 0; seed < 40; seed++) {
        start(2, 100 + seed);
        net.loss_ppm = seed % 4 == 3 ? 20000 : 0;
        both_write(FRAMES);
        net_run(&net, (1 + seed % 10) * MS);
        uint64_t start_ns = net.now_ns;
        net.nodes[seed % 2].address = net_address(20 + (unsigned)seed);
        all &= all_arrive(5 * SECOND);
        worst_ns = MAX_OF(worst_ns, net.now_ns - start_ns);
        up &= net.nodes[0].downs + net.nodes[1].downs == 0;
        net_fini(&net);
    }
    OK(all, "one side's address changes in mid transfer: all arrives in order");
    OK(up, "and the link is never down");
    printf("# 2 x 3 MB in %.2f s at worst\n", (double)worst_ns / 1e9);
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

/* Nobody can tell either where the other is now but a third who hears both. */
static void both_move_at_once(void)
{
    bool all = true;
    uint64_t worst_ns = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        start(3, 200 + seed);
        both_write(FRAMES);
        net_run(&net, (1 + seed % 10) * MS);
        uint64_t start_ns = net.now_ns;
        net.nodes[0].address = net_address(20 + (unsigned)seed);
        net.nodes[1].address = net_address(50 + (unsigned)seed);
        all &= all_arrive(5 * SECOND);
        worst_ns = MAX_OF(worst_ns, net.now_ns - start_ns);
        all &= net.nodes[0].downs + net.nodes[1].downs == 0;
        net_fini(&net);
    }
    OK(all, "both addresses change at once: through a third");
    printf("# 2 x 3 MB in %.2f s at worst\n", (double)worst_ns / 1e9);
}

/* Both have a second address that the other knows. */
static void both_move_to_known(void)
{
    start(2, 300);
    struct mesh_address second[2] = {net_address(70), net_address(71)};
    for (unsigned i = 0; i < 2; i++) {
        struct mesh_address addresses[2] = {net.nodes[i].address, second[i]};
        struct mesh_peer_config peer = {.peer = net_id(i),
                                        .self = net_id(1 - i),
                                        .psk = {7},
                                        .psk_epoch = 1,
                                        .addresses = addresses,
                                        .address_count = 2};
        memcpy(peer.public_key, mesh_public_key(net.nodes[i].mesh), SEAL_KEY_BYTES);
        mesh_peer_remove(net.nodes[1 - i].mesh, net_id(i), false, net.now_ns);
        mesh_peer_add(net.nodes[1 - i].mesh, &peer, net.now_ns);
    }
    both_write(FRAMES);
    net_run(&net, 10 * MS);
    net.nodes[0].address = second[0];
    net.nodes[1].address = second[1];
    OK(all_arrive(5 * SECOND), "both move to addresses that were told before");
    EQUAL(net.nodes[0].downs + net.nodes[1].downs, 0, "the link is never down");
    net_fini(&net);
}

/* A change of the port alone costs little: window and round trip stay. */
static void port_changes(void)
{
    start(2, 400);
    both_write(FRAMES);
    net_run(&net, 20 * MS);
    struct live *live = ((struct link *)net.nodes[1].mesh->links.entries[0].value)->live;
    uint64_t window = live->congestion.window_bytes;
    net.nodes[0].address.port += 100;
    net_say(&net, 0, 1, "from another port");
    net_run(&net, 10 * MS);
    EQUAL(live->path.port, net.nodes[0].address.port, "the port is followed");
    OK(live->congestion.window_bytes >= window, "the window stays");
    OK(all_arrive(5 * SECOND), "all arrives");
    net_fini(&net);
}

/* Keys change, addresses change, datagrams are lost, all at the same time. */
static void everything_at_once(void)
{
    bool all = true;
    for (uint64_t seed = 0; seed < 20; seed++) {
        start(2, 500 + seed);
        net.loss_ppm = 30000;
        both_write(FRAMES);
        for (unsigned i = 0; i < 6; i++) {
            uint8_t psk[SEAL_KEY_BYTES] = {(uint8_t)(i + 50)};
            mesh_peer_set_psk(net.nodes[0].mesh, 2, psk, 2 + i, net.now_ns);
            mesh_peer_set_psk(net.nodes[1].mesh, 1, psk, 2 + i, net.now_ns);
            net.nodes[(seed + i) % 2].address = net_address(20 + i);
            net_run(&net, 100 * MS);
        }
        all &= all_arrive(20 * SECOND);
        net_fini(&net);
    }
    OK(all, "new keys, new addresses and losses together");
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

int main(void)
{
    TEST(one_side_moves);
    TEST(both_move_at_once);
    TEST(both_move_to_known);
    TEST(port_changes);
    TEST(everything_at_once);
    return tap_done();
}
