/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes a mesh from the network's side: two daemons shake hands, then one gets datagrams that are the
 * other's with bytes of the input written over them, or the input alone. Packets are not sealed here
 * (SEAL_OFF), so that what is behind the seal is reached too.
 */
#include "base/check.h"
#include "base/mem.h"
#include "link/mesh.h"
#include "link/toycrypto.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { NEAR, FAR, SIDES, EXCHANGES_MAX = 64, PIECE_BYTES_MAX = 200 };

struct pair {
    struct mesh *mesh[SIDES];
    const struct seal_crypto *crypto[SIDES];
    struct mesh_address address[SIDES];
    uint64_t now_ns;
};

static void pair_open(struct pair *pair)
{
    *pair = (struct pair){.now_ns = 1000000000};
    for (int i = 0; i < SIDES; i++) {
        pair->crypto[i] = toycrypto_create((uint64_t)i + 1);
        struct mesh_config config = {.crypto = pair->crypto[i], .mode = SEAL_OFF,
                                     .receive_buffer_bytes = 212992, .datagram_bytes_max = 1400,
                                     .idle_probe_ns = 1000000000, .dead_after_ns = 5000000000,
                                     .rekey_after_ns = 3600000000000};
        memset(config.private_key, i + 1, sizeof(config.private_key));
        pair->mesh[i] = mesh_create(&config, pair->now_ns);
        pair->address[i] = (struct mesh_address){.ip = {[15] = (uint8_t)(i + 1)}, .port = 1000};
        CHECK(pair->mesh[i]);
    }
    for (int i = 0; i < SIDES; i++) {
        struct mesh_peer_config peer = {.peer = (uint64_t)!i + 1, .self = (uint64_t)i + 1,
                                        .addresses = &pair->address[!i], .address_count = 1};
        memcpy(peer.public_key, mesh_public_key(pair->mesh[!i]), sizeof(peer.public_key));
        CHECK(mesh_peer_add(pair->mesh[i], &peer, pair->now_ns) == 0);
    }
}

static void events_drop(struct mesh *mesh)
{
    struct mesh_event event;
    while (mesh_next_event(mesh, &event))
        slice_drop(&event.payload);
}

static void pair_close(struct pair *pair)
{
    for (int i = 0; i < SIDES; i++) {
        events_drop(pair->mesh[i]);
        mesh_destroy(pair->mesh[i]);
        toycrypto_destroy(pair->crypto[i]);
    }
}

/* Carries what |from| wants to send; |input| is written over the datagrams, if there is any. */
static int carry(struct pair *pair, int from, const uint8_t *input, size_t length)
{
    static uint8_t datagram[MESH_DATAGRAM_BYTES_MAX];
    struct mesh_address to;
    size_t size;
    int carried = 0;
    while (carried < EXCHANGES_MAX &&
           (size = mesh_pull(pair->mesh[from], &to, datagram, pair->now_ns)) > 0) {
        if (length > 1) {
            size_t at = input[0] % size;
            memcpy(datagram + at, input + 1, MIN_OF(length - 1, size - at));
        }
        mesh_receive(pair->mesh[!from], &pair->address[from], datagram, size, pair->now_ns);
        carried++;
    }
    events_drop(pair->mesh[!from]);
    return carried;
}

static void settle(struct pair *pair)
{
    for (int i = 0; i < EXCHANGES_MAX; i++)
        if (carry(pair, NEAR, NULL, 0) + carry(pair, FAR, NULL, 0) == 0)
            return;
}

static void piece_feed(struct pair *pair, const uint8_t *piece, size_t length)
{
    pair->now_ns += 1000000;
    (void)mesh_send_control(pair->mesh[FAR], NEAR + 1, "a control message", 17, pair->now_ns);
    struct slice frame = slice_copy(piece, length);
    if (length && frame.data)
        (void)mesh_flow_write(pair->mesh[FAR], NEAR + 1, piece[0], 2, frame, pair->now_ns);
    slice_drop(&frame);
    mesh_receive(pair->mesh[NEAR], &pair->address[FAR], piece, length, pair->now_ns);
    carry(pair, FAR, piece, length);
    for (int i = 0; i < SIDES; i++)
        mesh_expire(pair->mesh[i], pair->now_ns);
    carry(pair, NEAR, NULL, 0);
    carry(pair, FAR, NULL, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct pair pair;
    pair_open(&pair);
    CHECK(mesh_send_control(pair.mesh[NEAR], FAR + 1, "hello", 5, pair.now_ns) == 0);
    settle(&pair);
    while (size > 0) {
        size_t length = MIN_OF(size, (size_t)bytes[0] % PIECE_BYTES_MAX + 1);
        piece_feed(&pair, bytes, length);
        bytes += length;
        size -= length;
    }
    pair_close(&pair);
    return 0;
}
