/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Daemons that do not all reach one another: what cannot go directly goes through a third, which
 * can neither read nor change it, and comes back when it can.
 */
#include "net.h"
#include "tap.h"

#include "link/link.h"

enum { NODES_MAX = 8, FRAME_BYTES = 50000, PASSED_BYTES_MAX = 300 * 1024 };

static struct net net;
static bool broken[NODES_MAX][NODES_MAX]; /* from, to */
static uint64_t passed[NODES_MAX][NODES_MAX];
static uint64_t next_frame[NODES_MAX][NODES_MAX], wrong;

static bool is_passable(struct net *net_, struct net_packet *packet)
{
    if (broken[packet->from][packet->to])
        return false;
    passed[packet->from][packet->to]++;
    return true;
}

/* Flow n is of node n. */
static void check_frame(struct net *net_, struct net_node *node, struct mesh_event *event)
{
    if (event->kind == MESH_FLOW_FRAME)
        wrong += !net_frame_is(&event->payload, next_frame[event->source][node->index]++);
}

static void break_pair(unsigned a, unsigned b, bool is_broken)
{
    broken[a][b] = broken[b][a] = is_broken;
}

static void forget(void)
{
    memset(broken, 0, sizeof(broken));
    memset(passed, 0, sizeof(passed));
    memset(next_frame, 0, sizeof(next_frame));
    wrong = 0;
}

static void start_sized(unsigned count, uint64_t seed, size_t datagram)
{
    forget();
    net_init(&net, count, seed);
    for (unsigned i = 0; i < count; i++) {
        struct mesh_config config = net_config(&net, i);
        config.datagram_bytes_max = datagram;
        net_start(&net, i, &config);
    }
    for (unsigned a = 0; a < count; a++) {
        for (unsigned b = a + 1; b < count; b++)
            net_join(&net, a, b);
    }
    net.on_packet = is_passable;
    net.on_event = check_frame;
}

static void start(unsigned count, uint64_t seed)
{
    start_sized(count, seed, 1452);
}

/* Sessions between all who reach each other. */
static void warm_up(void)
{
    for (unsigned a = 0; a < net.count; a++) {
        for (unsigned b = a + 1; b < net.count; b++) {
            if (!broken[a][b] && !broken[b][a])
                net_say(&net, a, b, "x");
        }
    }
    net_run(&net, SECOND);
}

static struct link *link_of(unsigned from, unsigned to)
{
    return map_get(&net.nodes[from].mesh->links, net_id(to));
}

static uint64_t relay_of(unsigned from, unsigned to)
{
    uint64_t relay = 0;
    return mesh_peer_relay(net.nodes[from].mesh, net_id(to), &relay) ? relay : 0;
}

static uint64_t written[NODES_MAX][NODES_MAX];

static void write_frames(unsigned from, unsigned to, unsigned count)
{
    while (count--)
        net_write(&net, from, to, from, FRAME_BYTES, written[from][to]++);
}

static bool frames_arrive(unsigned from, unsigned to, uint64_t for_ns)
{
    return net_await(&net, &next_frame[from][to], written[from][to], for_ns) && wrong == 0;
}

static void finish(void)
{
    memset(written, 0, sizeof(written));
    net_fini(&net);
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

/* ---- the way through a third ---- */

static void never_met(bool relay_has_session)
{
    start(3, 1 + relay_has_session);
    break_pair(0, 2, true);
    net_say(&net, 0, 1, "x");
    if (relay_has_session)
        net_say(&net, 1, 2, "x");
    net_run(&net, SECOND);
    uint64_t before = net.nodes[2].controls, start_ns = net.now_ns;
    net_say(&net, 0, 2, "through another");
    OK(net_await(&net, &net.nodes[2].controls, before + 1, SECOND),
       relay_has_session ? "two who never met talk through a third"
                         : "the third did not know the peer yet");
    printf("# after %.0f ms\n", (double)(net.now_ns - start_ns) / 1e6);
    net_run(&net, 100 * MS);
    OK(relay_of(0, 2) == net_id(1) && relay_of(2, 0) == net_id(1), "both know through whom");
    OK(mesh_peer_is_up(net.nodes[0].mesh, 3) && mesh_peer_is_up(net.nodes[2].mesh, 1), "up");
    before = net.nodes[0].controls;
    net_say(&net, 2, 0, "and back");
    OK(net_await(&net, &net.nodes[0].controls, before + 1, 100 * MS), "the answer comes back");
    mesh_send_note(net.nodes[0].mesh, net_id(2), "n", 1, net.now_ns);
    OK(net_await(&net, &net.nodes[2].notes, 1, 100 * MS), "a note goes the same way");
    struct mesh_address to;
    uint8_t bytes[MESH_TOMBSTONE_BYTES_MAX];
    EQUAL(mesh_tombstone(net.nodes[0].mesh, net_id(2), &to, bytes), 0,
          "no tombstone goes through others");
    EQUAL(passed[0][2] + passed[2][0], 0, "nothing went directly");
    finish();
}

static void three_daemons(void)
{
    never_met(true);
    never_met(false);
}

static void bulk(size_t datagram, size_t path_bytes_max)
{
    start_sized(3, 3, datagram);
    net.path_bytes_max = path_bytes_max;
    break_pair(0, 2, true);
    warm_up();
    uint64_t start_ns = net.now_ns;
    write_frames(0, 2, 100);
    write_frames(2, 0, 100);
    OK(frames_arrive(0, 2, 20 * SECOND) && frames_arrive(2, 0, 20 * SECOND),
       "5 MB each way through a third, in order");
    const struct mesh_counters *counters = mesh_counters(net.nodes[1].mesh);
    printf("# 2 x 5 MB in %.2f s, %llu datagrams, %llu bytes passed on, %llu dropped\n",
           (double)(net.now_ns - start_ns) / 1e9, (unsigned long long)counters->forwarded_datagrams,
           (unsigned long long)counters->forwarded_bytes,
           (unsigned long long)counters->relay_dropped);
    OK(counters->forwarded_bytes > 10 * 1000 * 1000, "the third passed it on");
    EQUAL(counters->held_bytes, 0, "and holds nothing");
    OK(mesh_counters(net.nodes[0].mesh)->relayed_out > 3000 / (datagram / 1200) &&
           mesh_counters(net.nodes[0].mesh)->relayed_in > 0,
       "the ends count it too");
    finish();
}

static void bulk_through(void)
{
    bulk(1452, 0);
    bulk(1452, 1200); /* the smallest datagrams that every path carries */
    bulk(9000, 0);
}

/* Direct, through 1, through 3, direct again: frames go on in order all the time. */
static void ways_come_and_go(void)
{
    start(5, 4);
    warm_up();
    for (unsigned i = 1; i < 5; i++)
        broken[4][i] = broken[i][4] = true; /* 4 is no help */
    write_frames(0, 2, 20);
    net_run(&net, 5 * MS);
    EQUAL(relay_of(0, 2), 0, "at first directly");
    break_pair(0, 2, true);
    write_frames(0, 2, 40);
    uint64_t start_ns = net.now_ns;
    OK(net_await(&net, &next_frame[0][2], 40, 3 * SECOND), "the direct way dies, a relay is found");
    uint64_t relay = relay_of(0, 2);
    printf("# after %.0f ms through %llu\n", (double)(net.now_ns - start_ns) / 1e6,
           (unsigned long long)relay);
    OK(relay != 0, "through it");
    for (unsigned i = 0; i < 5; i++)
        break_pair((unsigned)relay - 1, i, true);
    write_frames(0, 2, 40);
    start_ns = net.now_ns;
    OK(frames_arrive(0, 2, 4 * SECOND), "the relay dies in mid transfer, another is found");
    OK(relay_of(0, 2) != 0 && relay_of(0, 2) != relay, "another one");
    printf("# after %.0f ms through %llu\n", (double)(net.now_ns - start_ns) / 1e6,
           (unsigned long long)relay_of(0, 2));
    EQUAL(net.nodes[0].downs + net.nodes[2].downs, net.nodes[0].downs, "2 is told nothing");
    break_pair(0, 2, false);
    for (unsigned i = 0; i < 120; i++) {
        write_frames(0, 2, 1);
        net_run(&net, 50 * MS);
    }
    EQUAL(relay_of(0, 2) + relay_of(2, 0), 0, "the direct way works again and is taken");
    OK(frames_arrive(0, 2, SECOND), "nothing was lost");
    uint64_t forwarded = mesh_counters(net.nodes[1].mesh)->forwarded_datagrams +
                         mesh_counters(net.nodes[3].mesh)->forwarded_datagrams;
    write_frames(0, 2, 40);
    frames_arrive(0, 2, 4 * SECOND);
    EQUAL(mesh_counters(net.nodes[1].mesh)->forwarded_datagrams +
              mesh_counters(net.nodes[3].mesh)->forwarded_datagrams,
          forwarded, "nobody passes on any more");
    finish();
}

/* Only one direction is broken. */
static void one_way(void)
{
    for (unsigned side = 0; side < 2; side++) {
        start(3, 5 + side);
        warm_up();
        broken[side ? 2 : 0][side ? 0 : 2] = true;
        write_frames(0, 2, 20);
        write_frames(2, 0, 20);
        OK(frames_arrive(0, 2, 5 * SECOND) && frames_arrive(2, 0, 5 * SECOND),
           "one direction dies: both go on");
        uint64_t sent = net.sent;
        for (unsigned i = 0; i < 200; i++) {
            mesh_send_note(net.nodes[0].mesh, net_id(2), "n", 1, net.now_ns);
            net_run(&net, 100 * MS);
        }
        OK(net.nodes[2].notes >= 180, "notes arrive");
        printf("# %llu datagrams for 200 notes, %llu of them arrived\n",
               (unsigned long long)(net.sent - sent), (unsigned long long)net.nodes[2].notes);
        OK(net.sent - sent < 1200, "nobody looks for the way all the time");
        EQUAL(net.nodes[0].downs + net.nodes[2].downs, 0, "no link is down");
        finish();
    }
}

/* A quiet pair on a relayed path stays quiet and rests; then it tries the direct way first. */
static void quiet_relayed(void)
{
    start(3, 8);
    break_pair(0, 2, true);
    warm_up();
    write_frames(0, 2, 2);
    OK(frames_arrive(0, 2, 5 * SECOND), "through a third");
    net_run(&net, 400 * SECOND);
    uint64_t sent = net.sent;
    net_run(&net, 1000 * SECOND);
    EQUAL(net.sent, sent, "quiet");
    OK(!link_of(0, 2)->live && !link_of(1, 2)->live, "and at rest");
    break_pair(0, 2, false);
    write_frames(0, 2, 2);
    OK(frames_arrive(0, 2, SECOND), "the next word");
    EQUAL(relay_of(0, 2), 0, "goes directly");
    finish();
}

/* ---- addresses change under a relay ---- */

static void moving(void)
{
    start(3, 9);
    break_pair(0, 2, true);
    warm_up();
    for (unsigned round = 0; round < 4; round++) {
        write_frames(0, 2, 60);
        write_frames(2, 0, 60);
        net_run(&net, 8 * MS);
        /* One end, the relay, the other end; then both ends at once. */
        net.nodes[round % 3].address = net_address(30 + round);
        if (round >= 3) {
            net.nodes[0].address = net_address(50 + round);
            net.nodes[2].address = net_address(60 + round);
        }
        OK(frames_arrive(0, 2, 6 * SECOND) && frames_arrive(2, 0, 6 * SECOND),
           "an address changes under the relayed path");
    }
    EQUAL(net.nodes[0].downs + net.nodes[2].downs, 0, "no link was down");
    finish();
}

/* ---- a relay that is not honest ---- */

static struct passing *seen[64];
static unsigned seen_count;

static struct passing *copy_passing(const struct passing *passing)
{
    size_t size = sizeof(*passing) + passing->length;
    struct passing *copy = mem_alloc(size);
    memcpy(copy, passing, size);
    list_init(&copy->node);
    return copy;
}

static void tamper_with(struct net *net_, struct live *live)
{
    LIST_EACH(node, next, &live->passings)
    {
        struct passing *passing = LIST_ENTRY(node, struct passing, node);
        uint64_t what = rng_below(&net_->rng, 10);
        if (seen_count < ARRAY_LEN(seen) && what < 5)
            seen[seen_count++] = copy_passing(passing);
        if (what == 0) { /* changed */
            passing->bytes[rng_below(&net_->rng, passing->length)] ^= 1;
        } else if (what == 1) { /* dropped: made a datagram of nothing */
            memset(passing->bytes, 0, passing->length);
        } else if (what == 2 && seen_count) { /* an old one in its place */
            struct passing *old = seen[rng_below(&net_->rng, seen_count)];
            if (old->length <= passing->length) {
                live->passing_bytes -= passing->length - old->length;
                live->link->mesh->passing_bytes -= passing->length - old->length;
                passing->length = old->length;
                memcpy(passing->bytes, old->bytes, old->length);
            }
        } else if (what == 3) { /* said to be of somebody else */
            passing->name[0] ^= 1;
        }
    }
}

static void hostile(struct net *net_, struct net_node *node)
{
    if (node->index != 1)
        return;
    for (size_t i = 0; i < node->mesh->links.count; i++) {
        struct link *link = node->mesh->links.entries[i].value;
        if (link->live)
            tamper_with(net_, link->live);
    }
}

static void hostile_relay(void)
{
    start(3, 10);
    break_pair(0, 2, true);
    warm_up();
    net.before_pull = hostile;
    write_frames(0, 2, 20);
    write_frames(2, 0, 20);
    OK(frames_arrive(0, 2, 120 * SECOND) && frames_arrive(2, 0, 120 * SECOND),
       "a relay that changes, drops, repeats and misnames: all arrives once and in order");
    const struct mesh_counters *counters = mesh_counters(net.nodes[2].mesh);
    OK(counters->dropped_unsealed && counters->dropped_replayed && counters->relay_dropped,
       "what it did only counts");
    net.before_pull = NULL;
    while (seen_count)
        mem_free(seen[--seen_count]);
    finish();
}

/* The peer |from| sends a packet of its own making. */
static void lie(unsigned from, unsigned to, const struct mesh_address *source,
                const uint8_t *payload, size_t length)
{
    static uint8_t packet[4096];
    struct live *live = link_of(from, to)->live;
    memcpy(packet + PACKET_SEALED_HEADER_BYTES, payload, length);
    loss_reserve(&live->loss);
    size_t sealed = session_seal(live->current, loss_next_number(&live->loss), packet, length);
    loss_sent(&live->loss, NULL);
    mesh_receive(net.nodes[to].mesh, source, packet, sealed, net.now_ns);
}

static size_t relay_frame(uint8_t *space, size_t size, const uint8_t *key, const uint8_t *bytes,
                          size_t length)
{
    struct wr wr;
    wr_init_fixed(&wr, space, size);
    frame_encode_relay(&wr, FRAME_RELAY, key, bytes, length);
    CHECK(!wr.bad);
    return wr.length;
}

static void not_passed_on(void)
{
    uint8_t frame[1400], inner[1000] = {PACKET_SEALED};
    start(4, 11);
    warm_up();
    const struct mesh_counters *counters = mesh_counters(net.nodes[1].mesh);
    size_t length = relay_frame(frame, sizeof(frame), mesh_public_key(net.nodes[2].mesh), inner,
                                100);
    lie(0, 1, &net.nodes[0].address, frame, length);
    net_run(&net, 10 * MS);
    EQUAL(counters->forwarded_datagrams, 1, "one for a peer is passed on");
    OK(mesh_counters(net.nodes[2].mesh)->relay_dropped == 1, "and found to be nothing");
    length = relay_frame(frame, sizeof(frame), (uint8_t[8]){9}, inner, 100);
    lie(0, 1, &net.nodes[0].address, frame, length);
    EQUAL(counters->relay_dropped, 1, "for nobody: dropped");
    length = relay_frame(frame, sizeof(frame), mesh_public_key(net.nodes[0].mesh), inner, 100);
    lie(0, 1, &net.nodes[0].address, frame, length);
    EQUAL(counters->relay_dropped, 2, "for the sender itself: dropped");
    inner[0] = 77;
    length = relay_frame(frame, sizeof(frame), mesh_public_key(net.nodes[2].mesh), inner, 100);
    lie(0, 1, &net.nodes[0].address, frame, length);
    EQUAL(counters->relay_dropped, 3, "no packet of ours: dropped");
    net_run(&net, SECOND);
    EQUAL(counters->forwarded_datagrams, 1, "none of these was passed on");
    /* What came through a relay goes to no other. */
    struct mesh_address via = mesh_address_via(link_of(1, 3));
    inner[0] = PACKET_SEALED;
    struct frame_relay again = {mesh_public_key(net.nodes[2].mesh), 100, inner};
    link_take_relay(link_of(1, 0), FRAME_RELAY, &again, &via, net.now_ns);
    link_take_relay(link_of(1, 0), FRAME_RELAYED, &again, &via, net.now_ns);
    EQUAL(counters->relay_dropped, 5, "a datagram is relayed once");
    OK(list_is_empty(&net.nodes[1].mesh->relayed), "neither in nor out");
    /* Nor does a datagram from port 0 pass for one. */
    uint64_t malformed = counters->dropped_malformed;
    lie(0, 1, &via, (uint8_t[]){FRAME_PING}, 1);
    EQUAL(counters->dropped_malformed, malformed + 1, "port 0 is nobody's");
    finish();
}

/* Who joins, or was removed, is not passed on for, and passes nothing on. */
static void members_only(void)
{
    for (unsigned stranger = 0; stranger < 3; stranger++) {
        start(3, 20 + stranger);
        break_pair(0, 2, true);
        warm_up();
        for (unsigned i = 0; i < 3; i++) {
            if (i == stranger || stranger == 1)
                continue;
            link_of(1, stranger)->psk_epoch = 0;
        }
        if (stranger == 1)
            link_of(0, 1)->psk_epoch = 0;
        net_say(&net, 0, 2, "x");
        net_run(&net, 4 * SECOND);
        EQUAL(mesh_counters(net.nodes[1].mesh)->forwarded_datagrams, 0,
              "only members pass on, and only for members");
        finish();
    }
}

/* Nobody reaches 2, and everybody hopes that another does. */
static void no_way_at_all(void)
{
    start(5, 12);
    warm_up();
    for (unsigned i = 0; i < 5; i++) {
        if (i != 2)
            break_pair(2, i, true);
    }
    for (unsigned i = 0; i < 5; i++) {
        if (i != 2)
            write_frames(i, 2, 4);
    }
    net_run(&net, 10 * SECOND);
    uint64_t sent = net.sent;
    for (unsigned i = 0; i < 5; i++) {
        const struct mesh *mesh = net.nodes[i].mesh;
        OK(mesh->passing_bytes <= PASSED_BYTES_MAX, "little waits to be passed on");
        if (i != 2)
            EQUAL(net.nodes[i].downs, 1, "the link is down");
    }
    net_run(&net, 60 * SECOND);
    printf("# %llu datagrams in a minute of four daemons that look for a fifth\n",
           (unsigned long long)(net.sent - sent));
    OK(net.sent - sent < 4 * 60 * 10, "nothing goes round");
    break_pair(3, 2, false);
    for (unsigned i = 0; i < 5; i++) {
        if (i != 2)
            OK(frames_arrive(i, 2, 60 * SECOND), "one of them finds it: all do");
    }
    finish();
}

/* The relay's own work goes on while it passes on as much as it can. */
static void relay_is_fair(void)
{
    start(3, 13);
    break_pair(0, 2, true);
    warm_up();
    write_frames(0, 2, 60);
    net_run(&net, 500 * MS);
    write_frames(0, 2, 200);
    write_frames(1, 2, 200);
    net_run(&net, 200 * MS);
    printf("# in 200 ms: %llu frames of the relay, %llu passed on\n",
           (unsigned long long)next_frame[1][2], (unsigned long long)(next_frame[0][2] - 60));
    OK(next_frame[1][2] > 0, "the relay's own frames go on");
    uint64_t own = next_frame[1][2];
    net_run(&net, 200 * MS);
    OK(next_frame[1][2] > own || own == 200, "all the time");
    OK(frames_arrive(0, 2, 20 * SECOND) && frames_arrive(1, 2, 20 * SECOND), "all arrive");
    finish();
}

static void relay_is_removed(void)
{
    start(4, 14);
    break_pair(0, 2, true);
    warm_up();
    write_frames(0, 2, 10);
    OK(frames_arrive(0, 2, 5 * SECOND), "through a relay");
    uint64_t relay = relay_of(0, 2);
    mesh_peer_remove(net.nodes[0].mesh, relay, true, net.now_ns);
    mesh_send_note(net.nodes[0].mesh, net_id(2), "lost", 4, net.now_ns);
    net_run(&net, SECOND);
    mesh_send_note(net.nodes[0].mesh, net_id(2), "here", 4, net.now_ns);
    net_run(&net, SECOND);
    OK(net.nodes[2].notes >= 1, "the relay is removed: even for notes another is found");
    OK(relay_of(0, 2) != 0 && relay_of(0, 2) != relay, "another one");
    write_frames(0, 2, 10);
    OK(frames_arrive(0, 2, 5 * SECOND), "and all goes on");
    mesh_peer_remove(net.nodes[0].mesh, net_id(2), true, net.now_ns);
    OK(net_await(&net, &net.nodes[2].downs, 1, SECOND), "a goodbye goes through it too");
    finish();
}

/* Losses on all ways. */
static void bad_network(void)
{
    start(4, 15);
    net.loss_ppm = 50000;
    net.reorder_ppm = 100000;
    net.reorder_depth = 16;
    break_pair(0, 2, true);
    warm_up();
    write_frames(0, 2, 40);
    write_frames(2, 0, 40);
    OK(frames_arrive(0, 2, 60 * SECOND) && frames_arrive(2, 0, 60 * SECOND),
       "5 % loss on each part of the way");
    finish();
}

/* One story with the n-th allocation failing. */
static bool story(uint64_t nth, int repeat)
{
    unsigned said = 0;
    start(3, 16);
    break_pair(0, 2, true);
    warm_up();
    uint64_t before = net.nodes[2].controls;
    mem_fail_at(nth, repeat);
    for (unsigned i = 0; i < 10; i++) {
        said += net_say(&net, 0, 2, "x") == 0;
        if (net_write(&net, 0, 2, 0, 3000, written[0][2]) == 0)
            written[0][2]++;
        net_run(&net, 100 * MS);
    }
    mem_fail_at(0, 0);
    bool fine = net_await(&net, &net.nodes[2].controls, before + said, 20 * SECOND) &&
                frames_arrive(0, 2, 20 * SECOND);
    memset(written, 0, sizeof(written));
    net_fini(&net);
    return fine && buf_live_count() == 0;
}

static void failing_memory(void)
{
    unsigned bad = 0;
    for (uint64_t nth = 1; nth < 300; nth++) {
        if (!story(nth, 0) && bad++ < 3)
            printf("# allocation %llu\n", (unsigned long long)nth);
    }
    for (uint64_t nth = 1; nth < 300; nth += 7) {
        if (!story(nth, 1) && bad++ < 3)
            printf("# from allocation %llu on\n", (unsigned long long)nth);
    }
    EQUAL(bad, 0, "each allocation may fail");
}

int main(void)
{
    TEST(three_daemons);
    TEST(bulk_through);
    TEST(ways_come_and_go);
    TEST(one_way);
    TEST(quiet_relayed);
    TEST(moving);
    TEST(hostile_relay);
    TEST(not_passed_on);
    TEST(members_only);
    TEST(no_way_at_all);
    TEST(relay_is_fair);
    TEST(relay_is_removed);
    TEST(bad_network);
    TEST(failing_memory);
    return tap_done();
}
