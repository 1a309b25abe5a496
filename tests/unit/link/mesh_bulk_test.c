/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A gigabyte through one link on a bad network, within a bound of virtual time; and how fast the
 * code itself is (printed, not judged: that is what bench/ is for).
 */
#include "net.h"
#include "tap.h"

#include <time.h>

enum { FRAME_BYTES = 128 * 1024 };

struct bulk {
    struct slice frame;
    uint64_t written, unacked; /* frames and bytes */
    uint64_t wanted;           /* frames */
    uint64_t next;             /* expected by the receiver */
    uint64_t wrong;
};

/* Keeps one window of frames on the way, as a daemon does. */
static void bulk_fill(struct net *net, struct bulk *bulk)
{
    while (bulk->written < bulk->wanted && bulk->unacked + FRAME_BYTES <= MESH_FLOW_WINDOW_BYTES) {
        struct buf *buf = buf_create(FRAME_BYTES);
        memcpy(buf->data, bulk->frame.data, FRAME_BYTES);
        memcpy(buf->data + FRAME_BYTES / 2, &bulk->written, sizeof(bulk->written));
        struct slice slice = slice_of(buf, 0, FRAME_BYTES);
        mesh_flow_write(net->nodes[0].mesh, net_id(1), 1, 2, slice, net->now_ns);
        slice_drop(&slice);
        buf_drop(buf);
        bulk->written++;
        bulk->unacked += FRAME_BYTES;
    }
}

static void bulk_event(struct net *net, struct net_node *node, struct mesh_event *event)
{
    struct bulk *bulk = net->context;
    if (event->kind == MESH_FLOW_ACKED) {
        bulk->unacked -= event->bytes;
        bulk_fill(net, bulk);
    }
    if (event->kind == MESH_FLOW_FRAME) {
        uint64_t number;
        memcpy(&number, event->payload.data + FRAME_BYTES / 2, sizeof(number));
        bulk->wrong += event->payload.length != FRAME_BYTES || number != bulk->next++;
    }
}

static void bulk_case(const char *what, uint64_t bytes, size_t datagram, size_t buffer,
                      uint32_t loss_ppm, uint32_t reorder_ppm, uint32_t repeat_ppm,
                      uint64_t bound_ns)
{
    struct net net;
    struct bulk bulk = {.wanted = bytes / FRAME_BYTES};
    struct buf *buf = buf_create(FRAME_BYTES);
    memset(buf->data, 5, FRAME_BYTES);
    bulk.frame = slice_of(buf, 0, FRAME_BYTES);
    buf_drop(buf);
    net_init(&net, 2, 77);
    for (unsigned i = 0; i < 2; i++) {
        struct mesh_config config = net_config(&net, i);
        config.datagram_bytes_max = datagram;
        config.receive_buffer_bytes = buffer;
        net_start(&net, i, &config);
    }
    net_join(&net, 0, 1);
    net.loss_ppm = loss_ppm;
    net.reorder_ppm = reorder_ppm;
    net.reorder_depth = 64;
    net.repeat_ppm = repeat_ppm;
    net.context = &bulk;
    net.on_event = bulk_event;
    clock_t cpu = clock();
    uint64_t start_ns = net.now_ns;
    bulk_fill(&net, &bulk);
    OK(net_await(&net, &net.nodes[1].frames, bulk.wanted, bound_ns), what);
    double seconds = (double)(net.now_ns - start_ns) / 1e9;
    double cpu_seconds = (double)(clock() - cpu) / CLOCKS_PER_SEC;
    EQUAL(bulk.wrong, 0, "every frame once and in order");
    const struct mesh_counters *counters = mesh_counters(net.nodes[0].mesh);
    printf("# %s: %.2f virtual s (%.1f MB/s), %.2f s of CPU, %llu datagrams, %llu lost (%llu "
           "spurious), %llu timeouts, held %llu\n",
           what, seconds, (double)net.nodes[1].frame_bytes / 1e6 / seconds, cpu_seconds,
           (unsigned long long)counters->datagrams_out, (unsigned long long)counters->packets_lost,
           (unsigned long long)counters->packets_lost_spurious,
           (unsigned long long)counters->probe_timeouts,
           (unsigned long long)counters->held_bytes_max);
    slice_drop(&bulk.frame);
    net_fini(&net);
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

int main(void)
{
    const uint64_t gigabyte = 1000000000;
    bulk_case("1 GB, good network", gigabyte, 65507, 4 << 20, 0, 0, 0, 25 * SECOND);
    bulk_case("1 GB, 5 % loss, reordering 64 deep, 64 KiB datagrams", gigabyte, 65507, 4 << 20,
              50000, 100000, 0, 25 * SECOND);
    bulk_case("1 GB, the same with 16 KiB datagrams", gigabyte, 16384, 4 << 20, 50000, 100000, 0,
              25 * SECOND);
    bulk_case("1 GB, the same with a socket buffer of 208 KiB", gigabyte, 65507, 212992, 50000,
              100000, 0, 25 * SECOND);
    bulk_case("100 MB, 10 % loss, reordering, repetition", gigabyte / 10, 65507, 4 << 20, 100000,
              200000, 50000, 25 * SECOND);
    bulk_case("20 MB in datagrams of 1452 bytes, 5 % loss", gigabyte / 50, 1452, 4 << 20, 50000, 0,
              0, 25 * SECOND);
    return tap_done();
}
