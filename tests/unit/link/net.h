/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A few meshes in one program, joined by a network that loses, delays, reorders, repeats and
 * changes datagrams, in virtual time. For the tests of this layer only; whole clusters are
 * simulated by sim/.
 */
#ifndef TESTS_LINK_NET_H
#define TESTS_LINK_NET_H

#include "base/heap.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/rng.h"
#include "link/mesh.h"
#include "link/toycrypto.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)
#define SECOND UINT64_C(1000000000)
#define HELD_NS_MAX (3 * MS) /* a packet kept back goes then at the latest */

struct net;

struct net_packet {
    struct heap_node at;
    struct list queued; /* in the socket buffer of |to| */
    unsigned from, to;
    struct mesh_address source;
    unsigned held; /* goes when that many later ones of its sender went */
    size_t length;
    uint8_t bytes[];
};

struct net_node {
    struct net *net;
    unsigned index;
    struct mesh *mesh;
    const struct seal_crypto *crypto;
    struct mesh_address address;
    struct mesh_address second; /* in another network; port 0 = it has none */
    struct heap_node timer;
    /* The socket: datagrams wait until the node reads them, one in |read_ns|. */
    struct list socket;
    uint64_t socket_used, socket_used_max, socket_dropped;
    uint64_t read_ns, stalled_until_ns;
    struct heap_node reader;
    struct list held; /* packets kept back for reordering */
    uint64_t ups, downs, controls, frames, frame_bytes, resets, acked_bytes;
    uint64_t notes, tombstones, sessions;
    uint64_t last_control_length, last_note_length;
    const char *down_reason;
    bool cut;              /* nothing goes in or out */
    bool asleep;           /* nor does it notice the time */
    uint64_t line_free_ns; /* the line towards it is busy until then */
};

struct net {
    struct rng rng;
    uint64_t now_ns;
    struct net_node *nodes;
    unsigned count;
    struct heap packets, timers, readers;
    uint32_t loss_ppm, reorder_ppm, repeat_ppm, flip_ppm;
    unsigned reorder_depth;
    uint64_t delay_ns, jitter_ns;
    uint64_t socket_bytes;     /* 0 = no model: delivered at once */
    uint64_t line_bytes_per_s; /* of the line towards each node, 0 = without end; */
    uint64_t line_queue_ns;    /* what would wait longer for it is dropped */
    size_t path_bytes_max;     /* larger datagrams vanish; 0 = none do */
    bool consume;              /* frames are consumed as they come */
    uint64_t sent, lost;
    /* Sees each event before it is dropped; may be NULL. */
    void (*on_event)(struct net *net, struct net_node *node, struct mesh_event *event);
    /* Sees each datagram on its way; returns false to swallow it; may be NULL. */
    bool (*on_packet)(struct net *net, struct net_packet *packet);
    /* May look into a node before it sends; may be NULL. */
    void (*before_pull)(struct net *net, struct net_node *node);
    void *context;
};

static inline struct mesh_address net_address(unsigned index)
{
    struct mesh_address address = {.port = (uint16_t)(40000 + index)};
    address.ip[10] = address.ip[11] = 0xff;
    address.ip[12] = 10;
    address.ip[14] = (uint8_t)(index >> 8);
    address.ip[15] = (uint8_t)index;
    return address;
}

/* What a datagram costs in a Linux receive buffer, a little differently computed than credit.c
 * does. */
static inline uint64_t net_true_size(size_t length)
{
    if (length > 1452)
        return (length + 1471) / 1472 * 2304;
    uint64_t block = 512, need = length + 60 + 320;
    while (block < need)
        block *= 2;
    return block + 256;
}

static inline struct mesh_config net_config(struct net *net, unsigned index)
{
    struct mesh_config config = {.crypto = net->nodes[index].crypto,
                                 .mode = SEAL_ENCRYPT,
                                 .receive_buffer_bytes = 4 << 20,
                                 .datagram_bytes_max = 1452,
                                 .dead_after_ns = 5 * SECOND,
                                 .rekey_after_ns = 3600 * SECOND};
    config.crypto->random_bytes(config.crypto->context, config.private_key,
                                sizeof(config.private_key));
    return config;
}

/* The network itself must not be hit when a test lets memory fail. */
static inline void net_heap_init(struct heap *heap)
{
    heap_init(heap);
    mem_grow((void **)&heap->nodes, &heap->capacity, 16384, sizeof(heap->nodes[0]));
}

static inline void net_init(struct net *net, unsigned count, uint64_t seed)
{
    *net = (struct net){.count = count, .delay_ns = MS / 2, .consume = true};
    rng_seed(&net->rng, seed);
    net_heap_init(&net->packets);
    net_heap_init(&net->timers);
    net_heap_init(&net->readers);
    net->now_ns = SECOND;
    net->nodes = calloc(count, sizeof(net->nodes[0]));
    for (unsigned i = 0; i < count; i++) {
        struct net_node *node = &net->nodes[i];
        node->net = net;
        node->index = i;
        node->address = net_address(i);
        node->crypto = toycrypto_create(seed * 1000 + i);
        heap_node_init(&node->timer);
        heap_node_init(&node->reader);
        list_init(&node->socket);
        list_init(&node->held);
    }
}

static inline void net_start(struct net *net, unsigned index, const struct mesh_config *config)
{
    net->nodes[index].mesh = mesh_create(config, net->now_ns);
}

static inline void net_start_all(struct net *net)
{
    for (unsigned i = 0; i < net->count; i++) {
        struct mesh_config config = net_config(net, i);
        net_start(net, i, &config);
    }
}

/* Peers are known by their index + 1. */
static inline uint64_t net_id(unsigned index)
{
    return index + 1u;
}

static inline int net_introduce(struct net *net, unsigned to, unsigned whom, bool with_address)
{
    struct mesh_address address = net->nodes[whom].address;
    struct mesh_peer_config peer = {.peer = net_id(whom),
                                    .self = net_id(to),
                                    .psk = {7},
                                    .psk_epoch = 1,
                                    .addresses = &address,
                                    .address_count = with_address ? 1 : 0};
    memcpy(peer.public_key, mesh_public_key(net->nodes[whom].mesh), SEAL_KEY_BYTES);
    return mesh_peer_add(net->nodes[to].mesh, &peer, net->now_ns);
}

static inline void net_join(struct net *net, unsigned a, unsigned b)
{
    net_introduce(net, a, b, true);
    net_introduce(net, b, a, true);
}

static inline struct net_node *net_at_address(struct net *net, const struct mesh_address *address)
{
    for (unsigned i = 0; i < net->count; i++) {
        unsigned guess = (address->port + i) % 40000 % net->count;
        const struct net_node *node = &net->nodes[guess];
        if (memcmp(&node->address, address, sizeof(*address)) == 0 ||
            (node->second.port && memcmp(&node->second, address, sizeof(*address)) == 0))
            return &net->nodes[guess];
    }
    return NULL;
}

static inline void net_fly(struct net *net, struct net_packet *packet)
{
    uint64_t delay_ns = net->delay_ns + rng_below(&net->rng, net->jitter_ns + 1);
    if (net->line_bytes_per_s) {
        uint64_t *free_ns = &net->nodes[packet->to].line_free_ns;
        *free_ns = MAX_OF(*free_ns, net->now_ns);
        if (*free_ns - net->now_ns > net->line_queue_ns) {
            net->lost++;
            free(packet);
            return;
        }
        *free_ns += packet->length * SECOND / net->line_bytes_per_s;
        delay_ns += *free_ns - net->now_ns;
    }
    heap_set(&net->packets, &packet->at, net->now_ns + delay_ns);
}

/* One packet more went out: those kept back for it may go too. */
static inline void net_release_held(struct net *net, struct net_node *node)
{
    LIST_EACH(pos, next, &node->held)
    {
        struct net_packet *packet = LIST_ENTRY(pos, struct net_packet, queued);
        if (--packet->held > 0)
            continue;
        list_remove(pos);
        net_fly(net, packet);
    }
}

static inline void net_send(struct net *net, struct net_node *node, const struct mesh_address *to,
                            const uint8_t *bytes, size_t length)
{
    struct net_node *target = net_at_address(net, to);
    net->sent++;
    net_release_held(net, node);
    if (!target || node->cut || target->cut || target->asleep ||
        rng_chance(&net->rng, net->loss_ppm) ||
        (net->path_bytes_max && length > net->path_bytes_max)) {
        net->lost++;
        return;
    }
    unsigned copies = rng_chance(&net->rng, net->repeat_ppm) ? 2 : 1;
    while (copies--) {
        struct net_packet *packet = malloc(sizeof(*packet) + length);
        memcpy(packet->bytes, bytes, length);
        packet->length = length;
        packet->from = node->index;
        packet->to = target->index;
        /* As systems choose it: the address in the network that the datagram goes into. */
        bool is_second = node->second.port && memcmp(to, &target->second, sizeof(*to)) == 0;
        packet->source = is_second ? node->second : node->address;
        heap_node_init(&packet->at);
        list_init(&packet->queued);
        if (rng_chance(&net->rng, net->flip_ppm))
            packet->bytes[rng_below(&net->rng, length)] ^= (uint8_t)(1u << rng_below(&net->rng, 8));
        if (net->on_packet && !net->on_packet(net, packet)) {
            free(packet);
        } else if (rng_chance(&net->rng, net->reorder_ppm)) {
            packet->held = 1 + (unsigned)rng_below(&net->rng, net->reorder_depth);
            list_push_back(&node->held, &packet->queued);
            heap_set(&net->packets, &packet->at, net->now_ns + net->delay_ns + HELD_NS_MAX);
        } else {
            net_fly(net, packet);
        }
    }
}

static inline void net_events(struct net *net, struct net_node *node)
{
    struct mesh_event event;
    while (mesh_next_event(node->mesh, &event)) {
        switch (event.kind) {
        case MESH_UP:
            node->ups++;
            break;
        case MESH_DOWN:
            node->downs++;
            node->down_reason = event.reason;
            break;
        case MESH_CONTROL:
            node->controls++;
            node->last_control_length = event.payload.length;
            break;
        case MESH_FLOW_FRAME:
            node->frames++;
            node->frame_bytes += event.payload.length;
            break;
        case MESH_FLOW_ACKED:
            node->acked_bytes += event.bytes;
            break;
        case MESH_FLOW_RESET:
            node->resets++;
            break;
        case MESH_NOTE:
            node->notes++;
            node->last_note_length = event.payload.length;
            break;
        case MESH_TOMBSTONE:
            node->tombstones++;
            break;
        case MESH_SESSION:
            node->sessions++;
            break;
        }
        if (net->on_event)
            net->on_event(net, node, &event);
        if (event.kind == MESH_FLOW_FRAME && net->consume)
            mesh_flow_consume(node->mesh, event.peer, event.source, event.destination,
                              event.payload.length, net->now_ns);
        slice_drop(&event.payload);
    }
}

/* Takes what happened, sends what there is to send, sets the timer. */
static inline void net_pump(struct net *net, struct net_node *node)
{
    static uint8_t bytes[MESH_DATAGRAM_BYTES_MAX];
    struct mesh_address to;
    size_t length;
    if (!node->mesh || node->asleep)
        return;
    net_events(net, node);
    if (net->before_pull)
        net->before_pull(net, node);
    while ((length = mesh_pull(node->mesh, &to, bytes, net->now_ns)))
        net_send(net, node, &to, bytes, length);
    heap_set(&net->timers, &node->timer, mesh_deadline(node->mesh));
}

static inline void net_pump_all(struct net *net)
{
    for (unsigned i = 0; i < net->count; i++)
        net_pump(net, &net->nodes[i]);
}

static inline void net_read(struct net *net, struct net_node *node)
{
    struct net_packet *packet = LIST_ENTRY(node->socket.next, struct net_packet, queued);
    list_remove(&packet->queued);
    node->socket_used -= net_true_size(packet->length);
    if (node->mesh)
        mesh_receive(node->mesh, &packet->source, packet->bytes, packet->length, net->now_ns);
    free(packet);
    if (list_is_empty(&node->socket))
        heap_remove(&net->readers, &node->reader);
    else
        heap_set(&net->readers, &node->reader, net->now_ns + node->read_ns);
    net_pump(net, node);
}

static inline void net_arrive(struct net *net, struct net_packet *packet)
{
    struct net_node *node = &net->nodes[packet->to];
    uint64_t size = net_true_size(packet->length);
    heap_remove(&net->packets, &packet->at);
    list_remove(&packet->queued);
    if (net->socket_bytes && node->socket_used + size > net->socket_bytes) {
        node->socket_dropped++;
        free(packet);
        return;
    }
    node->socket_used += size;
    if (node->socket_used > node->socket_used_max)
        node->socket_used_max = node->socket_used;
    list_push_back(&node->socket, &packet->queued);
    if (!net->socket_bytes)
        net_read(net, node);
    else if (node->reader.position == HEAP_NOT_QUEUED)
        heap_set(&net->readers, &node->reader,
                 MAX_OF(net->now_ns + node->read_ns, node->stalled_until_ns));
}

static inline uint64_t net_key(const struct heap *heap)
{
    const struct heap_node *first = heap_first(heap);
    return first ? first->key : UINT64_MAX;
}

/* One thing happens, not after |until_ns|. False when nothing does. */
static inline bool net_step(struct net *net, uint64_t until_ns)
{
    uint64_t packet_ns = net_key(&net->packets), timer_ns = net_key(&net->timers);
    uint64_t reader_ns = net_key(&net->readers);
    uint64_t next_ns = MIN_OF(MIN_OF(packet_ns, timer_ns), reader_ns);
    if (next_ns > until_ns) {
        if (until_ns != UINT64_MAX && net->now_ns < until_ns)
            net->now_ns = until_ns;
        return false;
    }
    net->now_ns = MAX_OF(net->now_ns, next_ns);
    if (packet_ns == next_ns) {
        net_arrive(net, CONTAINER_OF(heap_first(&net->packets), struct net_packet, at));
    } else if (reader_ns == next_ns) {
        net_read(net, CONTAINER_OF(heap_first(&net->readers), struct net_node, reader));
    } else {
        struct net_node *node = CONTAINER_OF(heap_first(&net->timers), struct net_node, timer);
        mesh_expire(node->mesh, net->now_ns);
        net_pump(net, node);
    }
    return true;
}

static inline void net_run(struct net *net, uint64_t for_ns)
{
    uint64_t until_ns = net->now_ns + for_ns;
    net_pump_all(net);
    while (net_step(net, until_ns))
        continue;
}

/* Runs until *|counter| reaches |wanted|; false when it does not within |for_ns|. */
static inline bool net_await(struct net *net, const uint64_t *counter, uint64_t wanted,
                             uint64_t for_ns)
{
    uint64_t until_ns = net->now_ns + for_ns;
    net_pump_all(net);
    while (*counter < wanted) {
        if (!net_step(net, until_ns))
            return *counter >= wanted;
    }
    return true;
}

static inline void net_fini(struct net *net)
{
    struct heap_node *first;
    for (unsigned i = 0; i < net->count; i++) {
        struct net_node *node = &net->nodes[i];
        LIST_EACH(pos, next, &node->socket)
        free(LIST_ENTRY(pos, struct net_packet, queued));
        mesh_destroy(node->mesh);
        toycrypto_destroy(node->crypto);
    }
    while ((first = heap_first(&net->packets))) {
        struct net_packet *packet = CONTAINER_OF(first, struct net_packet, at);
        heap_remove(&net->packets, first);
        free(packet);
    }
    heap_fini(&net->packets);
    heap_fini(&net->timers);
    heap_fini(&net->readers);
    free(net->nodes);
}

static inline int net_say(struct net *net, unsigned from, unsigned to, const char *text)
{
    return mesh_send_control(net->nodes[from].mesh, net_id(to), text, strlen(text), net->now_ns);
}

static inline int net_write(struct net *net, unsigned from, unsigned to, uint32_t flow,
                            size_t length, uint64_t sequence)
{
    struct buf *buf = buf_create(length);
    if (!buf)
        return -1;
    for (size_t i = 0; i < length; i++)
        buf->data[i] = (uint8_t)(sequence >> (8 * (i % 8))) + (uint8_t)(i / 8);
    /* With a head of each length in turn, or none. */
    const size_t head = (size_t)(sequence % (MESH_HEAD_BYTES_MAX + 1));
    const size_t apart = head < length ? head : length;
    struct slice slice = slice_of(buf, apart, length - apart);
    int result = mesh_flow_write_headed(net->nodes[from].mesh, net_id(to), flow, flow + 1,
                                        buf->data, apart, slice, net->now_ns);
    slice_drop(&slice);
    buf_drop(buf);
    return result;
}

/* The frame is what net_write() made for |sequence|. */
static inline bool net_frame_is(const struct slice *frame, uint64_t sequence)
{
    for (size_t i = 0; i < frame->length; i++) {
        if (frame->data[i] != (uint8_t)((uint8_t)(sequence >> (8 * (i % 8))) + (uint8_t)(i / 8)))
            return false;
    }
    return true;
}

#endif
