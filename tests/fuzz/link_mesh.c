/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes a mesh from both places an attacker can stand. The input is a list of steps: datagrams of
 * the fuzzer's bytes as they are; the same as the sealed content of a genuine packet (a peer that
 * has the keys and lies); writes, losses and the passing of time. Whatever happens, memory stays
 * within the windows, and nothing is left in the end.
 */
#include "base/mem.h"
#include "link/link.h"
#include "link/toycrypto.h"

#include <string.h>

static const struct mesh_address address = {.ip = {1}, .port = 1};
static uint64_t now_ns;

static struct mesh *start(const struct seal_crypto *crypto, uint8_t key)
{
    struct mesh_config config = {.crypto = crypto,
                                 .private_key = {key},
                                 .mode = SEAL_ENCRYPT,
                                 .receive_buffer_bytes = 212992,
                                 .datagram_bytes_max = 4000,
                                 .dead_after_ns = 5000000000,
                                 .rekey_after_ns = 3000000000};
    return mesh_create(&config, now_ns);
}

static void meet(struct mesh *mesh, struct mesh *other, uint64_t self, uint64_t peer)
{
    struct mesh_peer_config config = {
        .peer = peer, .self = self, .addresses = &address, .address_count = 1};
    memcpy(config.public_key, mesh_public_key(other), SEAL_KEY_BYTES);
    CHECK(mesh_peer_add(mesh, &config, now_ns) == 0);
}

static void drain_events(struct mesh *mesh, bool consume)
{
    struct mesh_event event;
    while (mesh_next_event(mesh, &event)) {
        if (event.kind == MESH_FLOW_FRAME && consume)
            mesh_flow_consume(mesh, event.peer, event.source, event.destination, event.bytes,
                              now_ns);
        slice_drop(&event.payload);
    }
}

/* All that |from| has to say goes to |to|, except what |lose| says. */
static void carry(struct mesh *from, struct mesh *to, unsigned lose)
{
    static uint8_t bytes[MESH_DATAGRAM_BYTES_MAX];
    struct mesh_address where;
    size_t length;
    while ((length = mesh_pull(from, &where, bytes, now_ns))) {
        if (lose == 0 || now_ns % lose)
            mesh_receive(to, &address, bytes, length, now_ns);
        now_ns += 1001;
    }
}

static void settle(struct mesh *a, struct mesh *b, bool consume)
{
    for (unsigned i = 0; i < 6; i++) {
        carry(a, b, 0);
        carry(b, a, 0);
        drain_events(a, consume);
        drain_events(b, consume);
    }
}

/* A genuine packet of |from| with the content |bytes|. */
static void lie(struct mesh *from, struct mesh *to, const uint8_t *bytes, size_t length)
{
    static uint8_t packet[MESH_DATAGRAM_BYTES_MAX];
    struct link *link = from->links.entries[0].value;
    struct live *live = link->live;
    if (!live || !live->current || loss_reserve(&live->loss) < 0)
        return;
    if (length)
        memcpy(packet + PACKET_SEALED_HEADER_BYTES, bytes, length);
    size_t sealed = session_seal(live->current, loss_next_number(&live->loss), packet, length);
    loss_sent(&live->loss, NULL);
    mesh_receive(to, &address, packet, sealed, now_ns);
}

static void check_bounds(const struct mesh *mesh)
{
    const struct link *link = mesh->links.entries[0].value;
    if (!link->live)
        return;
    CHECK(link->live->in_started <= link->live->in_limit);
    CHECK(mesh->counters.held_bytes < 200u << 20);
}

static size_t step(struct mesh *a, struct mesh *b, const uint8_t *bytes, size_t length)
{
    uint8_t kind = bytes[0];
    size_t part = length > 2 ? 2 + (bytes[1] + 256u * (kind >> 7)) : length;
    part = MIN_OF(part, length);
    const uint8_t *content = bytes + MIN_OF((size_t)2, part);
    size_t content_length = part - MIN_OF((size_t)2, part);
    struct slice slice;
    switch (kind & 7) {
    case 0:
        mesh_receive(b, &address, content, content_length, now_ns);
        break;
    case 1:
    case 2:
        lie(a, b, content, content_length);
        break;
    case 3:
        slice = slice_copy(content, content_length);
        if (content_length)
            mesh_flow_write(a, 2, kind >> 3, 1, slice, now_ns);
        slice_drop(&slice);
        break;
    case 4:
        mesh_send_control(a, 2, content, content_length, now_ns);
        break;
    case 5:
        now_ns += (uint64_t)part * 1000000;
        mesh_expire(a, now_ns);
        mesh_expire(b, now_ns);
        break;
    case 6:
        carry(a, b, part % 5);
        carry(b, a, part % 7);
        break;
    default:
        mesh_flow_reset(b, 1, kind >> 3, 1, now_ns);
        break;
    }
    check_bounds(b);
    drain_events(b, kind & 64);
    drain_events(a, true);
    return part;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct seal_crypto *crypto = toycrypto_create(1);
    now_ns = 1000000000;
    struct mesh *a = start(crypto, 1), *b = start(crypto, 2);
    meet(a, b, 1, 2);
    meet(b, a, 2, 1);
    mesh_send_control(a, 2, "hello", 5, now_ns);
    settle(a, b, true);
    CHECK(mesh_peer_is_up(a, 2) && mesh_peer_is_up(b, 1));
    while (length) {
        size_t part = step(a, b, bytes, length);
        bytes += part;
        length -= part;
    }
    settle(a, b, true);
    mesh_destroy(a);
    mesh_destroy(b);
    toycrypto_destroy(crypto);
    CHECK(buf_live_count() == 0);
    return 0;
}
