/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two hundred daemons and one: all answer at once, and its socket has Debian's default receive
 * buffer of 208 KiB. Credit spreads the answers, so that the buffer does not overflow.
 */
#include "net.h"
#include "tap.h"

enum { CROWD = 200, BUFFER_BYTES = 212992, READ_NS = 10000 };

static size_t answer_bytes;

static void answer(struct net *net, struct net_node *node, struct mesh_event *event)
{
    static uint8_t bytes[1 << 20];
    if (node->index == 0 || event->kind != MESH_CONTROL)
        return;
    if (answer_bytes <= 1000) {
        mesh_send_control(node->mesh, net_id(0), bytes, answer_bytes, net->now_ns);
        return;
    }
    for (size_t left = answer_bytes; left > 0;) {
        size_t part = MIN_OF(left, (size_t)50000);
        net_write(net, node->index, 0, node->index, part, left);
        left -= part;
    }
}

static void crowd_start(struct net *net, uint64_t seed)
{
    net_init(net, CROWD, seed);
    for (unsigned i = 0; i < CROWD; i++) {
        struct mesh_config config = net_config(net, i);
        config.receive_buffer_bytes = BUFFER_BYTES;
        net_start(net, i, &config);
        net->nodes[i].read_ns = READ_NS;
    }
    for (unsigned i = 1; i < CROWD; i++)
        net_join(net, 0, i);
    net->socket_bytes = BUFFER_BYTES;
    net->on_event = answer;
    net->jitter_ns = 100000;
}

static void broadcast(struct net *net, size_t bytes)
{
    answer_bytes = bytes;
    for (unsigned i = 1; i < CROWD; i++)
        net_say(net, 0, i, "all of you");
}

static void report(const struct net *net, const char *what, uint64_t start_ns)
{
    const struct net_node *hub = &net->nodes[0];
    printf("# %s: %.1f ms, buffer used up to %llu of %d, %llu dropped\n", what,
           (double)(net->now_ns - start_ns) / 1e6, (unsigned long long)hub->socket_used_max,
           BUFFER_BYTES, (unsigned long long)hub->socket_dropped);
}

static void small_answers(void)
{
    struct net net;
    crowd_start(&net, 1);
    broadcast(&net, 60);
    OK(net_await(&net, &net.nodes[0].controls, CROWD - 1, 10 * SECOND),
       "the first answers, handshakes and all");
    report(&net, "first broadcast", SECOND);
    OK(net.nodes[0].socket_dropped <= 20, "few datagrams are dropped even then");
    net_run(&net, SECOND);
    for (unsigned round = 2; round < 6; round++) {
        uint64_t start_ns = net.now_ns;
        net.nodes[0].socket_dropped = net.nodes[0].socket_used_max = 0;
        /* The daemon is busy elsewhere for 5 ms, and all answers wait in the buffer. */
        net.nodes[0].stalled_until_ns = net.now_ns + 5 * MS;
        broadcast(&net, 60);
        OK(net_await(&net, &net.nodes[0].controls, round * (CROWD - 1), SECOND), "all answer");
        EQUAL(net.nodes[0].socket_dropped, 0, "no datagram is dropped");
        report(&net, "broadcast", start_ns);
        net_run(&net, SECOND);
    }
    net_fini(&net);
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

static void large_answers(uint32_t loss_ppm)
{
    struct net net;
    crowd_start(&net, 2);
    broadcast(&net, 60);
    net_await(&net, &net.nodes[0].controls, CROWD - 1, 10 * SECOND);
    net_run(&net, SECOND);
    uint64_t start_ns = net.now_ns, wanted = (CROWD - 1) * (uint64_t)200000;
    net.nodes[0].socket_dropped = net.nodes[0].socket_used_max = 0;
    net.loss_ppm = loss_ppm;
    broadcast(&net, 200000);
    OK(net_await(&net, &net.nodes[0].frame_bytes, wanted, 60 * SECOND),
       loss_ppm ? "40 MB of answers with 5 % loss" : "40 MB of answers");
    report(&net, "large answers", start_ns);
    OK(net.nodes[0].socket_dropped <= (loss_ppm ? 200 : 0), "the buffer does not overflow");
    net.loss_ppm = 0;
    net_run(&net, 300 * SECOND);
    unsigned timers = 0;
    for (unsigned i = 0; i < CROWD; i++)
        timers += mesh_deadline(net.nodes[i].mesh) != UINT64_MAX;
    EQUAL(timers, 0, "no timer runs afterwards");
    net_fini(&net);
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

/* Nobody who sends without end may starve another. */
static void endless(struct net *net, struct net_node *node, struct mesh_event *event)
{
    if (event->kind == MESH_FLOW_ACKED)
        net_write(net, node->index, 0, 1, (size_t)event->bytes, 1);
}

static void turns_are_fair(void)
{
    struct net net;
    static uint64_t bytes[CROWD];
    crowd_start(&net, 3);
    net.on_event = endless;
    for (unsigned i = 1; i <= 40; i++) {
        for (unsigned part = 0; part < 10; part++)
            net_write(&net, i, 0, 1, 50000, 1);
    }
    net_run(&net, 2 * SECOND);
    memset(bytes, 0, sizeof(bytes));
    for (unsigned i = 1; i <= 40; i++)
        bytes[i] = net.nodes[i].acked_bytes;
    net_run(&net, 5 * SECOND);
    uint64_t least = UINT64_MAX, most = 0;
    for (unsigned i = 1; i <= 40; i++) {
        uint64_t got = net.nodes[i].acked_bytes - bytes[i];
        least = MIN_OF(least, got);
        most = MAX_OF(most, got);
    }
    printf("# in 5 s each of 40 sent between %.1f and %.1f MB\n", (double)least / 1e6,
           (double)most / 1e6);
    OK(least > 0 && most < 5 * least, "endless senders share the credit");
    OK(net.nodes[0].socket_dropped <= 20, "and the buffer does not overflow");
    net_fini(&net);
}

int main(void)
{
    TEST(small_answers);
    large_answers(0);
    large_answers(50000);
    TEST(turns_are_fair);
    return tap_done();
}
