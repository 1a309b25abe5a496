/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes three meshes from the places an attacker can stand. The input is a list of steps:
 * datagrams of the fuzzer's bytes as they are; the same as the sealed content of a genuine packet
 * (a peer that has the keys and lies), or as what such a peer wants passed on to a third;
 * tombstones; writes, notes, losses, broken ways and the passing of time. Whatever happens, memory
 * stays within the windows, and nothing is left in the end.
 */
#include "base/mem.h"
#include "link/link.h"
#include "link/toycrypto.h"

#include <string.h>

enum { MESHES = 3, A = 0, B = 1, C = 2 };

static struct mesh *meshes[MESHES];
static bool broken[MESHES][MESHES];
static uint64_t now_ns;

static struct mesh_address address_of(unsigned index)
{
    return (struct mesh_address){.ip = {1}, .port = (uint16_t)(index + 1)};
}

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

/* Peers are known by their index + 1. */
static void meet(unsigned self, unsigned peer)
{
    struct mesh_address address = address_of(peer);
    struct mesh_peer_config config = {.peer = peer + 1,
                                      .self = self + 1,
                                      .psk_epoch = 1,
                                      .addresses = &address,
                                      .address_count = 1};
    memcpy(config.public_key, mesh_public_key(meshes[peer]), SEAL_KEY_BYTES);
    CHECK(mesh_peer_add(meshes[self], &config, now_ns) == 0);
}

static void drain_events(unsigned index, bool consume)
{
    struct mesh_event event;
    while (mesh_next_event(meshes[index], &event)) {
        if (event.kind == MESH_FLOW_FRAME && consume)
            mesh_flow_consume(meshes[index], event.peer, event.source, event.destination,
                              event.bytes, now_ns);
        slice_drop(&event.payload);
    }
}

/* All that |from| has to say goes where it shall, except what |lose| says. */
static void carry(unsigned from, unsigned lose)
{
    static uint8_t bytes[MESH_DATAGRAM_BYTES_MAX];
    struct mesh_address where, source = address_of(from);
    size_t length;
    while ((length = mesh_pull(meshes[from], &where, bytes, now_ns))) {
        unsigned to = where.port - 1u;
        CHECK(to < MESHES);
        if (!broken[from][to] && (lose == 0 || now_ns % lose))
            mesh_receive(meshes[to], &source, bytes, length, now_ns);
        now_ns += 1001;
    }
}

static void settle(bool consume)
{
    for (unsigned i = 0; i < 6 * MESHES; i++)
        carry(i % MESHES, 0);
    for (unsigned i = 0; i < MESHES; i++)
        drain_events(i, consume);
}

static struct link *link_of(unsigned from, unsigned to)
{
    return map_get(&meshes[from]->links, to + 1);
}

/* A genuine packet with the content |bytes|. */
static void lie(unsigned from, unsigned to, const uint8_t *bytes, size_t length)
{
    static uint8_t packet[MESH_DATAGRAM_BYTES_MAX];
    struct live *live = link_of(from, to)->live;
    struct mesh_address source = address_of(from);
    if (!live || !live->current || loss_reserve(&live->loss) < 0)
        return;
    if (length)
        memcpy(packet + PACKET_SEALED_HEADER_BYTES, bytes, length);
    size_t sealed = session_seal(live->current, loss_next_number(&live->loss), packet, length);
    loss_sent(&live->loss, NULL);
    mesh_receive(meshes[to], &source, packet, sealed, now_ns);
}

/* A asks B to pass |bytes| on to C, or B says that it had them for C from A. */
static void lie_relayed(bool to_relay, const uint8_t *bytes, size_t length)
{
    static uint8_t frame[4096];
    struct wr wr;
    wr_init_fixed(&wr, frame, sizeof(frame));
    if (to_relay)
        frame_encode_relay(&wr, FRAME_RELAY, mesh_public_key(meshes[C]), bytes, length);
    else
        frame_encode_relay(&wr, FRAME_RELAYED, mesh_public_key(meshes[A]), bytes, length);
    if (to_relay)
        lie(A, B, frame, wr.length);
    else
        lie(B, C, frame, wr.length);
}

static void bury(unsigned from, unsigned to, uint8_t flip)
{
    uint8_t bytes[MESH_TOMBSTONE_BYTES_MAX];
    struct mesh_address where, source = address_of(from);
    size_t length = mesh_tombstone(meshes[from], to + 1, &where, bytes);
    CHECK(length <= sizeof(bytes));
    if (length == 0)
        return;
    bytes[flip % length] ^= flip;
    mesh_receive(meshes[to], &source, bytes, length, now_ns);
}

static void check_bounds(void)
{
    for (unsigned i = 0; i < MESHES; i++) {
        const struct mesh *mesh = meshes[i];
        CHECK(mesh->counters.held_bytes < 400u << 20);
        CHECK(mesh->passing_bytes < 1u << 20 && list_is_empty(&mesh->relayed));
        for (size_t j = 0; j < mesh->links.count; j++) {
            const struct link *link = mesh->links.entries[j].value;
            CHECK(!link->live || link->live->in_started <= link->live->in_limit);
            CHECK(!link->live || link->live->note_count <= LINK_NOTES_MAX);
        }
    }
}

static void pass_time(uint64_t time_ns)
{
    now_ns += time_ns;
    for (unsigned i = 0; i < MESHES; i++)
        mesh_expire(meshes[i], now_ns);
}

static void write_frame(const uint8_t *content, size_t length, uint32_t flow)
{
    struct slice slice = slice_copy(content, length);
    if (length)
        mesh_flow_write(meshes[A], B + 1, flow, 1, slice, now_ns);
    slice_drop(&slice);
}

static size_t step(const uint8_t *bytes, size_t length)
{
    uint8_t kind = bytes[0];
    size_t part = length > 2 ? 2 + (bytes[1] + 256u * (kind >> 7)) : length;
    part = MIN_OF(part, length);
    const uint8_t *content = bytes + MIN_OF((size_t)2, part);
    size_t content_length = part - MIN_OF((size_t)2, part);
    struct mesh_address source = address_of(A);
    switch (kind & 15) {
    case 0:
        mesh_receive(meshes[B], &source, content, content_length, now_ns);
        break;
    case 1:
    case 2:
        lie(A, B, content, content_length);
        break;
    case 3:
        write_frame(content, content_length, kind >> 4);
        break;
    case 4:
        mesh_send_control(meshes[A], B + 1 + (kind >> 4) % 2, content, content_length, now_ns);
        break;
    case 5:
        pass_time((uint64_t)part * 1000000);
        break;
    case 6:
        for (unsigned i = 0; i < MESHES; i++)
            carry(i, part % (5 + i));
        break;
    case 7:
        mesh_flow_reset(meshes[B], 1, kind >> 4, 1, now_ns);
        break;
    case 8:
        mesh_send_note(meshes[A], B + 1 + (kind >> 4) % 2, content, content_length, now_ns);
        break;
    case 9:
    case 10:
        lie_relayed(kind & 16, content, content_length);
        break;
    case 11:
        broken[A][C] = kind & 16;
        broken[C][A] = kind & 32;
        broken[B][C] = kind & 64 && kind & 128;
        break;
    case 12:
        bury(A, kind & 16 ? B : C, content_length ? content[0] : 0);
        break;
    case 13:
        pass_time((uint64_t)part * 1000000000);
        break;
    case 14: { /* the peer comes back under the same name, as if it had been removed */
        unsigned other = kind & 16 ? B : C;
        mesh_peer_remove(meshes[A], other + 1, kind & 32, now_ns);
        meet(A, other);
        break;
    }
    default:
        settle(kind & 64);
        break;
    }
    check_bounds();
    drain_events(A, true);
    drain_events(B, kind & 64);
    drain_events(C, true);
    return part;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct seal_crypto *crypto = toycrypto_create(1);
    now_ns = 1000000000;
    memset(broken, 0, sizeof(broken));
    for (unsigned i = 0; i < MESHES; i++)
        meshes[i] = start(crypto, (uint8_t)(i + 1));
    for (unsigned i = 0; i < MESHES; i++)
        for (unsigned j = 0; j < MESHES; j++)
            if (i != j)
                meet(i, j);
    mesh_send_control(meshes[A], B + 1, "hello", 5, now_ns);
    mesh_send_control(meshes[C], B + 1, "hello", 5, now_ns);
    settle(true);
    CHECK(mesh_peer_is_up(meshes[A], B + 1) && mesh_peer_is_up(meshes[B], C + 1));
    while (length) {
        size_t part = step(bytes, length);
        bytes += part;
        length -= part;
    }
    settle(true);
    for (unsigned i = 0; i < MESHES; i++)
        mesh_destroy(meshes[i]);
    toycrypto_destroy(crypto);
    CHECK(buf_live_count() == 0);
    return 0;
}
