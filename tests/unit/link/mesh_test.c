/* SPDX-License-Identifier: BSD-3-Clause */
/* Two daemons talk over a good network: handshakes, control, flows, keys, addresses, silence. */
#include "net.h"
#include "tap.h"

#include "link/link.h"

static struct net net;

static void start_pair(uint64_t seed)
{
    net_init(&net, 2, seed);
    net_start_all(&net);
    net_join(&net, 0, 1);
}

static void handshake_and_control(void)
{
    start_pair(1);
    EQUAL(mesh_deadline(net.nodes[0].mesh), UINT64_MAX, "nothing to say, no timer");
    net_say(&net, 0, 1, "hello");
    OK(net_await(&net, &net.nodes[1].controls, 1, SECOND), "the message arrives");
    EQUAL(net.nodes[1].last_control_length, 5, "with its length");
    OK(net.now_ns - SECOND <= 2 * MS, "after one round trip and a half");
    net_run(&net, SECOND);
    EQUAL(net.nodes[0].ups, 1, "the caller is told that the link is up");
    EQUAL(net.nodes[1].ups, 1, "and so is the called side");
    OK(mesh_peer_is_up(net.nodes[0].mesh, 2) && mesh_peer_is_up(net.nodes[1].mesh, 1), "up");
    EQUAL(mesh_peer_unacked_bytes(net.nodes[0].mesh, 2), 0, "all is acknowledged");
    OK(mesh_deadline(net.nodes[0].mesh) > net.now_ns + 50 * SECOND &&
           mesh_deadline(net.nodes[1].mesh) > net.now_ns + 50 * SECOND,
       "an idle link has no timer but that for its rest");
    OK(mesh_peer_rtt_ns(net.nodes[0].mesh, 2) >= MS &&
           mesh_peer_rtt_ns(net.nodes[0].mesh, 2) < 3 * MS,
       "the round trip is known");
    net_fini(&net);
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

static void empty_and_large_control(void)
{
    static char large[5 << 20];
    start_pair(2);
    mesh_send_control(net.nodes[0].mesh, 2, NULL, 0, net.now_ns);
    mesh_send_control(net.nodes[0].mesh, 2, large, sizeof(large), net.now_ns);
    OK(net_await(&net, &net.nodes[1].controls, 2, 20 * SECOND), "empty and 5 MiB arrive");
    EQUAL(net.nodes[1].last_control_length, sizeof(large), "in order");
    EQUAL(mesh_send_control(net.nodes[0].mesh, 2, large, MESH_CONTROL_BYTES_MAX + 1, net.now_ns),
          -1, "too long is refused");
    EQUAL(mesh_send_control(net.nodes[0].mesh, 9, "x", 1, net.now_ns), -1, "unknown peer");
    for (unsigned i = 0; i < 20; i++)
        mesh_send_control(net.nodes[0].mesh, 2, large, sizeof(large), net.now_ns);
    OK(net_await(&net, &net.nodes[1].controls, 22, 60 * SECOND), "more than the control window");
    net_fini(&net);
}

static void crossing_handshakes(void)
{
    for (uint64_t seed = 10; seed < 20; seed++) {
        start_pair(seed);
        net.jitter_ns = seed % 2 ? MS : 0;
        net_say(&net, 0, 1, "a");
        net_say(&net, 1, 0, "b");
        net_run(&net, SECOND);
        bool good = net.nodes[0].controls == 1 && net.nodes[1].controls == 1 &&
                    mesh_counters(net.nodes[0].mesh)->handshakes == 1 &&
                    mesh_counters(net.nodes[1].mesh)->handshakes == 1;
        OK(good, "calls that cross become one session");
        net_fini(&net);
    }
}

static void called_side_without_address(void)
{
    net_init(&net, 2, 3);
    net_start_all(&net);
    net_introduce(&net, 0, 1, true);
    net_introduce(&net, 1, 0, false);
    net_say(&net, 1, 0, "waits to be called");
    net_run(&net, SECOND);
    EQUAL(net.nodes[0].controls, 0, "without an address nothing can be said");
    net_say(&net, 0, 1, "x");
    OK(net_await(&net, &net.nodes[0].controls, 1, SECOND), "when called it speaks");
    net_fini(&net);
}

static void late_introduction(void)
{
    net_init(&net, 2, 4);
    net_start_all(&net);
    net_introduce(&net, 0, 1, true);
    net_say(&net, 0, 1, "early");
    net_run(&net, SECOND);
    OK(mesh_counters(net.nodes[1].mesh)->dropped_unknown > 0, "a stranger's call only counts");
    net_introduce(&net, 1, 0, true);
    OK(net_await(&net, &net.nodes[1].controls, 1, 5 * SECOND), "once known, the call is answered");
    net_fini(&net);
}

static void wrong_keys(void)
{
    net_init(&net, 3, 5);
    net_start_all(&net);
    net_join(&net, 0, 1);
    /* Node 2 claims to be node 0 towards node 1: another static key. */
    struct mesh_address address = net.nodes[1].address;
    struct mesh_peer_config peer = {.peer = 2,
                                    .self = 1,
                                    .psk = {7},
                                    .psk_epoch = 1,
                                    .addresses = &address,
                                    .address_count = 1};
    memcpy(peer.public_key, mesh_public_key(net.nodes[1].mesh), SEAL_KEY_BYTES);
    mesh_peer_add(net.nodes[2].mesh, &peer, net.now_ns);
    mesh_send_control(net.nodes[2].mesh, 2, "fake", 4, net.now_ns);
    net_run(&net, SECOND);
    EQUAL(net.nodes[1].controls, 0, "a wrong static key is not believed");
    OK(mesh_counters(net.nodes[1].mesh)->dropped_unknown > 0, "and counted");
    net_fini(&net);

    net_init(&net, 2, 6);
    net_start_all(&net);
    net_introduce(&net, 0, 1, true);
    address = net.nodes[0].address;
    peer = (struct mesh_peer_config){.peer = 1,
                                     .self = 2,
                                     .psk = {8},
                                     .psk_epoch = 1,
                                     .addresses = &address,
                                     .address_count = 1};
    memcpy(peer.public_key, mesh_public_key(net.nodes[0].mesh), SEAL_KEY_BYTES);
    mesh_peer_add(net.nodes[1].mesh, &peer, net.now_ns);
    net_say(&net, 0, 1, "x");
    net_run(&net, 10 * SECOND);
    EQUAL(net.nodes[1].controls, 0, "another psk of the same epoch: no session");
    OK(mesh_counters(net.nodes[0].mesh)->dropped_unsealed > 0, "counted as not genuine");
    EQUAL(net.nodes[0].downs, 1, "the caller is told that nobody answers");
    net_fini(&net);
}

static void flows_in_order(void)
{
    start_pair(7);
    for (unsigned i = 0; i < 200; i++) {
        net_write(&net, 0, 1, 1, 1 + i * 37, i);
        net_write(&net, 0, 1, 2, 20000, i);
        net_write(&net, 1, 0, 3, 100, i);
    }
    OK(net_await(&net, &net.nodes[1].frames, 400, 10 * SECOND), "frames of two flows arrive");
    OK(net_await(&net, &net.nodes[0].frames, 200, 10 * SECOND), "and those of the other way");
    net_run(&net, SECOND);
    EQUAL(net.nodes[1].acked_bytes, 200 * 100, "the writer learns what was taken");
    EQUAL(mesh_counters(net.nodes[0].mesh)->held_bytes, 0, "nothing is held any more (0)");
    EQUAL(mesh_counters(net.nodes[1].mesh)->held_bytes, 0, "nothing is held any more (1)");
    EQUAL(mesh_counters(net.nodes[0].mesh)->packets_lost, 0, "no packet was lost");
    struct slice none = {0};
    EQUAL(mesh_flow_write(net.nodes[0].mesh, 2, 1, 2, none, net.now_ns), -1, "an empty frame");
    uint8_t head[MESH_HEAD_BYTES_MAX + 1] = {0};
    EQUAL(mesh_flow_write_headed(net.nodes[0].mesh, 2, 1, 2, head, sizeof(head), none, net.now_ns),
          -1, "a head that is too long");
    net_fini(&net);
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

static void flow_window_holds(void)
{
    start_pair(8);
    net.consume = false;
    for (unsigned i = 0; i < 40; i++)
        net_write(&net, 0, 1, 1, 65536, i);
    net_run(&net, 5 * SECOND);
    EQUAL(net.nodes[1].frame_bytes, MESH_FLOW_WINDOW_BYTES, "no more than the window is delivered");
    EQUAL(mesh_counters(net.nodes[1].mesh)->held_bytes, MESH_FLOW_WINDOW_BYTES, "or held");
    net_say(&net, 0, 1, "control passes");
    OK(net_await(&net, &net.nodes[1].controls, 1, SECOND), "control is not held up");
    net_write(&net, 0, 1, 5, 100, 0);
    OK(net_await(&net, &net.nodes[1].frames, 17, SECOND), "nor another flow");
    for (unsigned i = 0; i < 40 && net.nodes[1].frame_bytes < 40 * 65536 + 100; i++) {
        mesh_flow_consume(net.nodes[1].mesh, 1, 1, 2, 1 << 20, net.now_ns);
        net_run(&net, SECOND);
    }
    EQUAL(net.nodes[1].frame_bytes, 40 * 65536 + 100, "consumed, the rest comes");
    net_fini(&net);
}

static void peer_window_holds(void)
{
    start_pair(9);
    net.consume = false;
    for (uint32_t flow = 0; flow < 12; flow++) {
        for (unsigned i = 0; i < 16; i++)
            net_write(&net, 0, 1, 10 + flow, 65536, i);
    }
    net_run(&net, 20 * SECOND);
    OK(net.nodes[1].frame_bytes <= MESH_PEER_WINDOW_BYTES, "not more than the peer's window");
    OK(net.nodes[1].frame_bytes > MESH_PEER_WINDOW_BYTES - 65536, "but all of it");
    for (unsigned round = 0; round < 4; round++) {
        for (uint32_t flow = 0; flow < 12; flow++)
            mesh_flow_consume(net.nodes[1].mesh, 1, 10 + flow, 11 + flow, 1 << 20, net.now_ns);
        net_run(&net, 5 * SECOND);
    }
    EQUAL(net.nodes[1].frame_bytes, 12 * 16 * 65536, "consumed, the rest comes");
    net_fini(&net);
}

static void fair_flows_count(struct net *net_, struct net_node *node, struct mesh_event *event)
{
    uint64_t *bytes = net_->context;
    if (event->kind == MESH_FLOW_FRAME && event->source < 3)
        bytes[event->source] += event->payload.length;
}

static void flows_are_fair(void)
{
    uint64_t bytes[3] = {0};
    start_pair(21);
    net.context = bytes;
    net.on_event = fair_flows_count;
    for (unsigned i = 0; i < 60; i++)
        net_write(&net, 0, 1, 1, 128 * 1024, i);
    for (unsigned i = 0; i < 2000; i++)
        net_write(&net, 0, 1, 2, 512, i);
    net_await(&net, &bytes[2], 512 * 1000, 20 * SECOND);
    OK(bytes[1] < 2 * bytes[2] + 512 * 1024,
       "a flow of large frames does not crowd out small ones");
    net_fini(&net);
}

static void reset_flow(void)
{
    start_pair(22);
    net.consume = false;
    for (unsigned i = 0; i < 40; i++)
        net_write(&net, 0, 1, 1, 65536, i);
    net_run(&net, SECOND);
    mesh_flow_reset(net.nodes[1].mesh, 1, 1, 2, net.now_ns);
    OK(net_await(&net, &net.nodes[0].resets, 1, SECOND), "the sender is told");
    EQUAL(mesh_peer_unacked_bytes(net.nodes[0].mesh, 2), 0, "and drops what it holds");
    net_run(&net, SECOND);
    EQUAL(mesh_counters(net.nodes[1].mesh)->held_bytes, 0, "the receiver holds nothing");
    uint64_t before = net.nodes[1].frames;
    net_write(&net, 0, 1, 1, 100, 0);
    OK(net_await(&net, &net.nodes[1].frames, before + 1, SECOND),
       "the next frame opens a new flow");
    net_fini(&net);
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

static void idle_flows_are_forgotten(void)
{
    start_pair(23);
    for (uint32_t flow = 0; flow < 1000; flow++)
        net_write(&net, 0, 1, 10 + flow, 100, flow);
    net_run(&net, SECOND);
    OK(mesh_counters(net.nodes[0].mesh)->flows == 1000, "a thousand flows are known");
    for (unsigned i = 0; i < 400; i++) {
        net_run(&net, SECOND / 5);
        net_say(&net, 0, 1, "x");
        net_say(&net, 1, 0, "x");
    }
    net_run(&net, SECOND);
    EQUAL(mesh_counters(net.nodes[0].mesh)->flows, 0, "idle ones are forgotten by the sender");
    EQUAL(mesh_counters(net.nodes[1].mesh)->flows, 0, "and by the receiver");
    net_write(&net, 0, 1, 10, 100, 1);
    OK(net_await(&net, &net.nodes[1].frames, 1001, SECOND), "and open again");
    net_fini(&net);
}

static void rekey_by_age(void)
{
    net_init(&net, 2, 24);
    for (unsigned i = 0; i < 2; i++) {
        struct mesh_config config = net_config(&net, i);
        config.rekey_after_ns = SECOND;
        net_start(&net, i, &config);
    }
    net_join(&net, 0, 1);
    net.loss_ppm = 50000;
    for (unsigned i = 0; i < 500; i++) {
        net_say(&net, 0, 1, "x");
        net_say(&net, 1, 0, "y");
        net_run(&net, 20 * MS);
    }
    net_run(&net, SECOND);
    EQUAL(net.nodes[1].controls, 500, "every message through all keys");
    EQUAL(net.nodes[0].controls, 500, "both ways");
    OK(mesh_counters(net.nodes[0].mesh)->rekeys >= 8, "keys change by age");
    EQUAL(net.nodes[0].ups, 1, "which nobody notices");
    EQUAL(net.nodes[0].downs, 0, "at all");
    net_fini(&net);
}

static struct session *current_session(unsigned node)
{
    struct link *link = net.nodes[node].mesh->links.entries[0].value;
    return link->live->current;
}

static void rekey_by_use(void)
{
    start_pair(38);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    current_session(0)->sealed_packets = (uint64_t)1 << 22;
    net_say(&net, 0, 1, "y");
    net_run(&net, SECOND);
    EQUAL(mesh_counters(net.nodes[0].mesh)->rekeys, 1, "half of the cipher's packets: new keys");
    current_session(1)->sealed_bytes = (uint64_t)1 << 38;
    net_say(&net, 1, 0, "z");
    net_run(&net, SECOND);
    EQUAL(mesh_counters(net.nodes[0].mesh)->rekeys, 2, "all of its bytes: new keys first");
    EQUAL(net.nodes[0].controls, 1, "then the message");
    EQUAL(net.nodes[0].downs + net.nodes[1].downs, 0, "without an interruption");
    net_fini(&net);
}

static void psk_change(void)
{
    uint8_t psk[SEAL_KEY_BYTES] = {9};
    start_pair(25);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    mesh_peer_set_psk(net.nodes[0].mesh, 2, psk, 2, net.now_ns);
    net_run(&net, 100 * MS);
    net_say(&net, 0, 1, "between");
    net_run(&net, SECOND);
    EQUAL(net.nodes[1].controls, 2, "one side has the new psk: the link goes on");
    uint64_t rekeys = mesh_counters(net.nodes[0].mesh)->rekeys;
    mesh_peer_set_psk(net.nodes[1].mesh, 1, psk, 2, net.now_ns);
    net_run(&net, SECOND);
    OK(mesh_counters(net.nodes[0].mesh)->rekeys > rekeys, "the other side has it too: new keys");
    net_say(&net, 1, 0, "y");
    OK(net_await(&net, &net.nodes[0].controls, 1, SECOND), "and it works");
    mesh_peer_set_psk(net.nodes[0].mesh, 2, (uint8_t[SEAL_KEY_BYTES]){1}, 3, net.now_ns);
    mesh_peer_set_psk(net.nodes[1].mesh, 1, (uint8_t[SEAL_KEY_BYTES]){1}, 3, net.now_ns);
    net_run(&net, SECOND);
    OK(mesh_counters(net.nodes[0].mesh)->rekeys > rekeys + 1, "both at once");
    EQUAL(net.nodes[0].downs + net.nodes[1].downs, 0, "without an interruption");
    net_fini(&net);
}

static void goodbye(void)
{
    start_pair(26);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    net_say(&net, 1, 0, "not yet sent");
    mesh_peer_remove(net.nodes[0].mesh, 2, true, net.now_ns);
    OK(net_await(&net, &net.nodes[1].downs, 1, SECOND), "a goodbye arrives");
    SAME_TEXT(net.nodes[1].down_reason, "the peer said goodbye", "as such");
    OK(!mesh_peer_is_up(net.nodes[1].mesh, 1), "the link is down");
    EQUAL(net_say(&net, 1, 0, "z"), 0, "speaking to one who left is no error");
    EQUAL(mesh_counters(net.nodes[1].mesh)->held_bytes, 0, "but nothing is held for it");
    EQUAL(mesh_deadline(net.nodes[1].mesh), UINT64_MAX, "and no timer runs");
    net_introduce(&net, 0, 1, true);
    net_say(&net, 0, 1, "back");
    OK(net_await(&net, &net.nodes[1].controls, 2, 3 * SECOND), "who comes back is heard");
    EQUAL(net.nodes[1].ups, 2, "after a second UP");
    net_fini(&net);
}

static void lost_state(void)
{
    start_pair(27);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    mesh_peer_remove(net.nodes[0].mesh, 2, false, net.now_ns);
    net_introduce(&net, 0, 1, true);
    net_say(&net, 0, 1, "anew");
    OK(net_await(&net, &net.nodes[1].controls, 2, 3 * SECOND),
       "a peer without its state begins anew");
    net_run(&net, SECOND);
    EQUAL(net.nodes[1].downs, 1, "the other side is told that the old link is down");
    EQUAL(net.nodes[1].ups, 2, "and a new one up");
    net_fini(&net);
}

static void silence(void)
{
    start_pair(28);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    net.nodes[1].cut = true;
    net_say(&net, 0, 1, "into the void");
    uint64_t start_ns = net.now_ns;
    OK(net_await(&net, &net.nodes[0].downs, 1, 10 * SECOND), "no sign of life: down");
    OK(net.now_ns - start_ns >= 5 * SECOND && net.now_ns - start_ns < 6 * SECOND, "in time");
    net.nodes[1].cut = false;
    OK(net_await(&net, &net.nodes[1].controls, 2, 30 * SECOND), "back: nothing is lost");
    net_run(&net, SECOND);
    EQUAL(net.nodes[0].ups, 2, "and the link is up again");
    net_fini(&net);
}

static void nobody_answers(void)
{
    start_pair(30);
    net.nodes[1].cut = true;
    net_say(&net, 0, 1, "x");
    OK(net_await(&net, &net.nodes[0].downs, 1, 6 * SECOND), "a call without answer: down");
    net.nodes[1].cut = false;
    OK(net_await(&net, &net.nodes[1].controls, 1, 5 * SECOND), "answered later: the message comes");
    net_fini(&net);
}

static void candidate_addresses(void)
{
    net_init(&net, 2, 31);
    net_start_all(&net);
    net_introduce(&net, 1, 0, true);
    struct mesh_address addresses[4] = {net_address(100), net_address(101), net_address(102),
                                        net.nodes[1].address};
    struct mesh_peer_config peer = {.peer = 2,
                                    .self = 1,
                                    .psk = {7},
                                    .psk_epoch = 1,
                                    .addresses = addresses,
                                    .address_count = 4};
    memcpy(peer.public_key, mesh_public_key(net.nodes[1].mesh), SEAL_KEY_BYTES);
    mesh_peer_add(net.nodes[0].mesh, &peer, net.now_ns);
    net_say(&net, 0, 1, "x");
    OK(net_await(&net, &net.nodes[1].controls, 1, SECOND / 5), "the fourth address is tried soon");
    net_fini(&net);
}

static void moved_peer(void)
{
    start_pair(32);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    net.nodes[1].address = net_address(77);
    net_say(&net, 1, 0, "from elsewhere");
    net_run(&net, SECOND);
    uint64_t before = net.sent - net.lost;
    net_say(&net, 0, 1, "to elsewhere");
    OK(net_await(&net, &net.nodes[1].controls, 2, SECOND / 10), "the new address is followed");
    OK(net.sent - net.lost > before, "after it was checked");
    net_fini(&net);
}

static void introduce_both_addresses(unsigned to, unsigned whom)
{
    struct mesh_address addresses[2] = {net.nodes[whom].address, net.nodes[whom].second};
    struct mesh_peer_config peer = {.peer = net_id(whom),
                                    .self = net_id(to),
                                    .psk = {7},
                                    .psk_epoch = 1,
                                    .addresses = addresses,
                                    .address_count = 2};
    memcpy(peer.public_key, mesh_public_key(net.nodes[whom].mesh), SEAL_KEY_BYTES);
    mesh_peer_add(net.nodes[to].mesh, &peer, net.now_ns);
}

/* Packets in ten idle seconds after a stall in which both looked for another address. */
static uint64_t packets_after_stall(uint64_t seed)
{
    net_init(&net, 2, seed);
    net_start_all(&net);
    for (unsigned i = 0; i < 2; i++)
        net.nodes[i].second = net_address(100 + i);
    introduce_both_addresses(0, 1);
    introduce_both_addresses(1, 0);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    net.nodes[0].cut = true;
    net_say(&net, 0, 1, "one way");
    net_say(&net, 1, 0, "and the other");
    net_run(&net, (20 + rng_below(&net.rng, 300)) * MS);
    net.nodes[0].cut = false;
    net_run(&net, SECOND);
    const uint64_t before = net.sent;
    net_run(&net, 10 * SECOND);
    const uint64_t sent = net.sent - before;
    net_fini(&net);
    return sent;
}

/* Two with two addresses each must not follow one another in turn, for ever. */
static void nobody_chases(void)
{
    enum { SEEDS = 60, PACKETS_MAX = 50 };
    uint64_t most = 0;
    for (uint64_t seed = 400; seed < 400 + SEEDS; seed++)
        most = MAX_OF(most, packets_after_stall(seed));
    OK(most <= PACKETS_MAX, "after a stall both stay where they are");
    printf("# %llu packets at most\n", (unsigned long long)most);
}

/* The peer's address in use dies without a word from it; another candidate is alive. */
static void address_dies(void)
{
    net_init(&net, 2, 39);
    net_start_all(&net);
    net_introduce(&net, 1, 0, true);
    struct mesh_address addresses[2] = {net.nodes[1].address, net_address(90)};
    struct mesh_peer_config peer = {.peer = 2,
                                    .self = 1,
                                    .psk = {7},
                                    .psk_epoch = 1,
                                    .addresses = addresses,
                                    .address_count = 2};
    memcpy(peer.public_key, mesh_public_key(net.nodes[1].mesh), SEAL_KEY_BYTES);
    mesh_peer_add(net.nodes[0].mesh, &peer, net.now_ns);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    net.nodes[1].address = addresses[1];
    net_say(&net, 0, 1, "are you there");
    OK(net_await(&net, &net.nodes[1].controls, 2, SECOND), "the next address is found");
    EQUAL(net.nodes[0].downs, 0, "before the link is given up");
    net_fini(&net);
}

/* Somebody sends copies of genuine packets from a third address; the answers to it vanish. */
static struct mesh_address spoofed;
static bool spoof(struct net *net_, struct net_packet *packet)
{
    if (packet->from == 1)
        packet->source = spoofed;
    return true;
}

static void spoofed_address(void)
{
    start_pair(33);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    spoofed = net_address(55);
    net.on_packet = spoof;
    net_say(&net, 1, 0, "y");
    net_run(&net, SECOND);
    net.on_packet = NULL;
    net_say(&net, 0, 1, "still there");
    OK(net_await(&net, &net.nodes[1].controls, 2, SECOND),
       "an address that does not answer is not followed");
    net_fini(&net);
}

static void unreachable_only_probes(void)
{
    start_pair(34);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    uint64_t before = net.sent;
    mesh_unreachable(net.nodes[0].mesh, &net.nodes[1].address, net.now_ns);
    net_run(&net, SECOND);
    OK(net.sent > before, "a probe is sent");
    EQUAL(net.nodes[0].downs, 0, "nothing else happens");
    net_fini(&net);
}

static void seal_modes(void)
{
    for (int mode = SEAL_INTEGRITY; mode <= SEAL_OFF; mode++) {
        net_init(&net, 2, 35);
        for (unsigned i = 0; i < 2; i++) {
            struct mesh_config config = net_config(&net, i);
            config.mode = (enum seal_mode)mode;
            net_start(&net, i, &config);
        }
        net_join(&net, 0, 1);
        net_write(&net, 0, 1, 1, 100000, 1);
        OK(net_await(&net, &net.nodes[1].frames, 1, SECOND), "a frame in another mode");
        net.flip_ppm = 1000000;
        net_write(&net, 0, 1, 1, 100, 2);
        net_run(&net, 20 * MS);
        if (mode == SEAL_INTEGRITY)
            OK(net.nodes[1].frames == 1 && mesh_counters(net.nodes[1].mesh)->dropped_unsealed > 0,
               "a changed bit does not pass");
        net_fini(&net);
    }
    net_init(&net, 2, 36);
    for (unsigned i = 0; i < 2; i++) {
        struct mesh_config config = net_config(&net, i);
        config.mode = i ? SEAL_OFF : SEAL_ENCRYPT;
        net_start(&net, i, &config);
    }
    net_join(&net, 0, 1);
    net_say(&net, 0, 1, "x");
    net_run(&net, SECOND);
    EQUAL(net.nodes[1].controls, 0, "two modes do not talk");
    net_fini(&net);
}

static void larger_datagrams(void)
{
    net_init(&net, 2, 37);
    for (unsigned i = 0; i < 2; i++) {
        struct mesh_config config = net_config(&net, i);
        config.datagram_bytes_max = 65507;
        net_start(&net, i, &config);
    }
    net_join(&net, 0, 1);
    for (unsigned i = 0; i < 100; i++)
        net_write(&net, 0, 1, 1, 128 * 1024, i);
    OK(net_await(&net, &net.nodes[1].frames, 100, 10 * SECOND), "12.5 MiB");
    OK(net.sent < 1500, "go in few large datagrams");
    /* The path changes: nothing above 9000 bytes gets through any more. */
    net.path_bytes_max = 9000;
    for (unsigned i = 0; i < 100; i++)
        net_write(&net, 0, 1, 1, 128 * 1024, i);
    OK(net_await(&net, &net.nodes[1].frames, 200, 30 * SECOND), "a black hole is found and left");
    net_fini(&net);
}

int main(void)
{
    TEST(handshake_and_control);
    TEST(empty_and_large_control);
    TEST(crossing_handshakes);
    TEST(called_side_without_address);
    TEST(late_introduction);
    TEST(wrong_keys);
    TEST(flows_in_order);
    TEST(flow_window_holds);
    TEST(peer_window_holds);
    TEST(flows_are_fair);
    TEST(reset_flow);
    TEST(idle_flows_are_forgotten);
    TEST(rekey_by_age);
    TEST(rekey_by_use);
    TEST(psk_change);
    TEST(goodbye);
    TEST(lost_state);
    TEST(silence);
    TEST(nobody_answers);
    TEST(candidate_addresses);
    TEST(moved_peer);
    TEST(nobody_chases);
    TEST(address_dies);
    TEST(spoofed_address);
    TEST(unreachable_only_probes);
    TEST(seal_modes);
    TEST(larger_datagrams);
    return tap_done();
}
