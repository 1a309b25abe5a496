/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes shm_pair_receive() and the rest of a pair against a hostile peer: the input is a story of
 * what the peer writes into its segment and of what its victim does in between. Whatever is
 * written, the victim takes only what lies inside the segment, ends the pair or has nothing more to
 * read after at most as many messages as there are slots, and in the end has all of its memory.
 *
 * The input is a row of orders, each a byte and what it needs; enum order below. The segment is as
 * small as can be and is followed by nothing, so that a sanitizer sees the first byte read outside.
 */
#include "base/check.h"
#include "shm/pair_state.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    PEER_BYTES = 16384, /* the peer's segment: ring at 0, back block behind it */
    PEER_SLOTS = 8,
    PEER_BACK = PEER_SLOTS * SHM_SLOT_BYTES,
    OWN_BYTES = 4 * SHM_AREA_BYTES,
    RESERVED_BYTES = 4096,
    RECEIVED_MAX = 2 * PEER_BYTES / SHM_SLOT_BYTES,
    HELD_MAX = 8
};

enum order {
    NEXT_SLOT,   /* kind, flags, count, length, payload: a slot that fits the next position */
    WHOLE_SLOT,  /* length, bytes: the same from behind its stamp */
    WRITE,       /* u16 offset, length, bytes: anywhere */
    STAMP,       /* which slot, distance: a stamp that is right or nearly so */
    CONSUMED,    /* distance: near what was sent */
    CONSUMED_64, /* u64: anything */
    RECEIVE,     /* one message, held */
    DROP,        /* the message held for longest */
    SEND,        /* u16 length */
    RELEASE,
    COLLECT,
    FREED, /* count: that many handles from 0 come back */
    ORDERS
};

struct input {
    const uint8_t *data;
    size_t left;
};

struct world {
    struct input input;
    uint8_t *peer;
    struct shm_heap *heap;
    struct shm_pair *pair;
    uint64_t next_position; /* for NEXT_SLOT */
    struct slice held[HELD_MAX];
    size_t held_count;
    bool is_view_gone;
};

static _Alignas(4096) uint8_t own[OWN_BYTES];

static uint8_t next_byte(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->data++;
}

static uint64_t next_number(struct input *input, int bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++)
        number |= (uint64_t)next_byte(input) << (8 * i);
    return number;
}

/* ---- the peer ---- */

static void write_bytes(struct world *world, size_t offset, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const uint8_t byte = next_byte(&world->input);
        if (offset + i < PEER_BYTES)
            world->peer[offset + i] = byte;
    }
}

/* Where position next_position lies as the reader's ring is now; counts on. */
static size_t slot_offset(struct world *world)
{
    const struct shm_pair *pair = world->pair;
    if (pair->is_bad)
        return 0;
    if (world->next_position < pair->in_next ||
        world->next_position > pair->in_next + pair->in_mask)
        world->next_position = pair->in_next;
    const struct shm_slot *slot = &pair->in_ring[world->next_position & pair->in_mask];
    return (size_t)((const uint8_t *)slot - world->peer);
}

static void stamp_slot(struct world *world, size_t offset, uint64_t position)
{
    const uint32_t stamp = shm_stamp(position);
    memcpy(world->peer + offset, &stamp, sizeof(stamp));
}

static void peer_order(struct world *world, enum order order)
{
    struct input *input = &world->input;
    size_t offset = slot_offset(world);
    uint64_t number;
    switch (order) {
    case NEXT_SLOT:
        memset(world->peer + offset, 0, SHM_SLOT_BYTES);
        world->peer[offset + offsetof(struct shm_slot, kind)] = next_byte(input);
        world->peer[offset + offsetof(struct shm_slot, flags)] = next_byte(input);
        world->peer[offset + offsetof(struct shm_slot, count)] = next_byte(input);
        write_bytes(world, offset + offsetof(struct shm_slot, payload),
                    next_byte(input) % (SHM_INLINE_BYTES_MAX + 1));
        stamp_slot(world, offset, world->next_position++);
        break;
    case WHOLE_SLOT:
        write_bytes(world, offset + 4, next_byte(input) % (SHM_SLOT_BYTES - 4));
        stamp_slot(world, offset, world->next_position++);
        break;
    case WRITE:
        number = next_number(input, 2);
        write_bytes(world, (size_t)number, next_byte(input));
        break;
    case STAMP:
        offset = (size_t)next_byte(input) % (PEER_BYTES / SHM_SLOT_BYTES) * SHM_SLOT_BYTES;
        stamp_slot(world, offset, world->next_position + next_byte(input) - 2);
        break;
    case CONSUMED:
        number = world->pair->out_next + next_byte(input) - 250;
        memcpy(world->peer + PEER_BACK, &number, sizeof(number));
        break;
    case CONSUMED_64:
        number = next_number(input, 8);
        memcpy(world->peer + PEER_BACK, &number, sizeof(number));
        break;
    case FREED:
        number = next_byte(input) % SHM_RELEASES_MAX;
        memset(world->peer + offset, 0, SHM_SLOT_BYTES);
        world->peer[offset + offsetof(struct shm_slot, kind)] = SHM_RELEASE;
        world->peer[offset + offsetof(struct shm_slot, count)] = (uint8_t)number;
        for (uint32_t i = 0; i < number; i++)
            memcpy(world->peer + offset + offsetof(struct shm_slot, payload) + 4 * i, &i, 4);
        stamp_slot(world, offset, world->next_position++);
        break;
    default:
        break;
    }
}

/* ---- the victim ---- */

static void drop_oldest(struct world *world)
{
    if (world->held_count == 0)
        return;
    slice_drop(&world->held[0]);
    memmove(world->held, world->held + 1, --world->held_count * sizeof(world->held[0]));
}

static void look_at_parcel(struct world *world, const struct parcel *parcel)
{
    volatile uint8_t sum = 0;
    size_t length = 0;
    CHECK((parcel->bytes != NULL) != (parcel->pieces != NULL));
    for (size_t i = 0; parcel->bytes && i < parcel->length; i++)
        sum = (uint8_t)(sum + parcel->bytes[i]);
    for (size_t i = 0; !parcel->bytes && i < parcel->piece_count; i++) {
        const struct slice *piece = &parcel->pieces[i];
        CHECK(piece->length > 0 && piece->data >= world->peer &&
              piece->data + piece->length <= world->peer + PEER_BYTES);
        sum = (uint8_t)(sum + piece->data[0] + piece->data[piece->length - 1]);
        length += piece->length;
    }
    CHECK(parcel->bytes || length == parcel->length);
    CHECK(!parcel->is_mcast || parcel->pieces);
    if (!parcel->pieces)
        return;
    if (world->held_count == HELD_MAX)
        drop_oldest(world);
    world->held[world->held_count++] = slice_hold(parcel->pieces[parcel->piece_count - 1]);
}

static bool receive_one(struct world *world)
{
    struct parcel parcel;
    const enum shm_result result = shm_pair_receive(world->pair, &parcel);
    CHECK(result == SHM_OK || result == SHM_NONE || result == SHM_BAD);
    CHECK(!world->pair->is_bad || result == SHM_BAD);
    if (result != SHM_OK)
        return false;
    look_at_parcel(world, &parcel);
    shm_pair_taken(world->pair);
    return true;
}

static void send_one(struct world *world, size_t length)
{
    static const uint8_t bytes[65536];
    const struct parcel parcel = {.bytes = bytes, .length = length};
    const enum shm_result result = shm_pair_send(world->pair, &parcel);
    CHECK(result == SHM_OK || result == SHM_BAD || result == SHM_NO_MEMORY);
    CHECK(!world->pair->is_bad || result == SHM_BAD);
}

static void victim_order(struct world *world, enum order order)
{
    switch (order) {
    case RECEIVE:
        receive_one(world);
        break;
    case DROP:
        drop_oldest(world);
        break;
    case SEND:
        send_one(world, (size_t)next_number(&world->input, 2));
        break;
    case RELEASE:
        shm_pair_release(world->pair);
        break;
    case COLLECT:
        shm_pair_collect(world->pair);
        break;
    default:
        break;
    }
}

/* ---- the story ---- */

static int populate(void *context, uint64_t offset, uint64_t length)
{
    (void)context;
    CHECK(offset <= OWN_BYTES && length <= OWN_BYTES - offset);
    return 0;
}

static void discard(void *context, uint64_t offset, uint64_t length)
{
    populate(context, offset, length);
}

static void heap_gone(void *context)
{
    struct world *world = context;
    world->heap = NULL;
}

static void view_gone(void *context)
{
    struct world *world = context;
    CHECK(!world->is_view_gone);
    world->is_view_gone = true;
}

static void world_init(struct world *world, const uint8_t *data, size_t size)
{
    const struct shm_heap_ops ops = {world, populate, discard, heap_gone};
    const struct shm_offer offer = {.ring_slots = PEER_SLOTS, .back_offset = PEER_BACK};
    *world = (struct world){.input = {data, size}};
    world->peer = aligned_alloc(SHM_SLOT_BYTES, PEER_BYTES);
    world->heap = shm_heap_create(own, OWN_BYTES, RESERVED_BYTES, OWN_BYTES, &ops);
    CHECK(world->peer && world->heap);
    memset(world->peer, 0, PEER_BYTES);
    world->pair = shm_pair_create(world->heap, NULL);
    const struct shm_view view = {world->peer, PEER_BYTES, world, view_gone};
    CHECK(world->pair && shm_pair_join(world->pair, &view, &offer) == SHM_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world;
    int received = 0;
    world_init(&world, data, size);
    while (world.input.left > 0) {
        const enum order order = (enum order)(next_byte(&world.input) % ORDERS);
        peer_order(&world, order);
        victim_order(&world, order);
    }
    while (receive_one(&world))
        CHECK(++received <= RECEIVED_MAX);
    shm_pair_close(world.pair);
    while (world.held_count > 0) {
        CHECK(!world.is_view_gone);
        drop_oldest(&world);
    }
    CHECK(world.is_view_gone);
    CHECK(shm_heap_stats(world.heap).used_bytes == 0);
    shm_heap_close(world.heap);
    CHECK(!world.heap && buf_live_count() == 0);
    free(world.peer);
    return 0;
}
