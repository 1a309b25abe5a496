/* SPDX-License-Identifier: BSD-3-Clause */
/* A peer that writes what it should not: the pair ends with SHM_BAD and nothing else is hurt. */
#include "base/mem.h"
#include "base/rng.h"
#include "bodies.h"
#include "tap.h"

static struct pair_pair both;
static struct shm_slot *ring; /* a's first ring, in which the test writes as a bad peer would */
static uint64_t position;

static void open_both(void)
{
    pair_pair_open(&both, 8);
    ring = (void *)(both.a.ground.base + shm_pair_offer(both.a.pair).ring_offset);
    position = 0;
}

static struct shm_slot *blank(int kind, int flags, int count)
{
    struct shm_slot *slot = &ring[position];
    memset((uint8_t *)slot + sizeof(slot->stamp), 0, sizeof(*slot) - sizeof(slot->stamp));
    slot->kind = (uint8_t)kind;
    slot->flags = (uint8_t)flags;
    slot->count = (uint16_t)count;
    return slot;
}

static void publish(struct shm_slot *slot)
{
    atomic_store(&slot->stamp, shm_stamp(position++));
}

/* What was published must end the pair. */
static void refuse(const char *what)
{
    struct parcel got;
    const struct parcel out = {.bytes = (const uint8_t *)"x", .length = 1};
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_BAD, what);
    OK(shm_pair_receive(both.b.pair, &got) == SHM_BAD &&
           shm_pair_send(both.b.pair, &out) == SHM_BAD,
       "from then on as well");
    shm_pair_collect(both.b.pair);
    OK(!shm_pair_has_news(both.b.pair), "there is no news any more");
    pair_pair_close(&both);
    OK(both.b.ground.is_gone && both.b.view_is_gone, "closing is as ever");
}

static void refuse_slot(int kind, int flags, int count, const char *what)
{
    open_both();
    publish(blank(kind, flags, count));
    refuse(what);
}

static void test_kinds(void)
{
    refuse_slot(0, 0, 0, "no kind");
    refuse_slot(6, 0, 0, "an unknown kind");
    refuse_slot(255, 0, 0, "another");
    refuse_slot(SHM_BYTES, 0, SHM_INLINE_BYTES_MAX + 1, "more bytes than fit");
    refuse_slot(SHM_BYTES, 0, 65535, "many more");
    refuse_slot(SHM_BYTES, 4, 1, "an unknown flag");
    refuse_slot(SHM_BYTES, SHM_IS_MCAST, 1, "a multicast without pieces");
    refuse_slot(SHM_PIECES, 0, 0, "no piece");
    refuse_slot(SHM_PIECES, 0, SHM_PIECES_DIRECT_MAX + 1, "too many pieces");
    refuse_slot(SHM_PIECES, 0, 1, "a piece of nothing");
    refuse_slot(SHM_PIECES, 8, 1, "an unknown flag on pieces");
    refuse_slot(SHM_LIST, 0, 1, "an empty list");
    refuse_slot(SHM_LIST, 0, 2, "a list in two pieces");
    refuse_slot(SHM_RELEASE, 0, 0, "nothing given back");
    refuse_slot(SHM_RELEASE, 0, 1, "what was not lent");
    refuse_slot(SHM_RELEASE, 0, SHM_RELEASES_MAX + 1, "more than fit");
    refuse_slot(SHM_RELEASE, 0, 65535, "many more");
}

static void refuse_pieces(uint64_t offset, uint32_t length, const char *what)
{
    const uint64_t good = shm_piece(0, 10), bad = shm_piece(offset, length);
    open_both();
    struct shm_slot *slot = blank(SHM_PIECES, 0, 2);
    memcpy(slot->payload, &good, 8);
    memcpy(slot->payload + 8, &bad, 8);
    publish(slot);
    refuse(what);
}

static void test_pieces(void)
{
    const uint64_t size_bytes = 8 * SHM_AREA_BYTES;
    refuse_pieces(size_bytes, 1, "a piece behind the end");
    refuse_pieces(size_bytes - 1, 2, "one over the end");
    refuse_pieces(UINT64_MAX >> 24, 0xffffff, "one far away");
    refuse_pieces(0, 0, "one of no bytes");
    refuse_pieces(size_bytes, 0, "one of no bytes at the end");
}

static void refuse_list(uint64_t offset, uint32_t length, uint32_t pieces, uint64_t reference,
                        const char *what)
{
    open_both();
    struct shm_slot *slot = blank(SHM_LIST, 0, 1);
    const uint64_t list = shm_piece(offset, length);
    memcpy(slot->payload, &list, 8);
    slot->pieces = pieces;
    uint8_t *listed = both.a.ground.base + 2 * SHM_AREA_BYTES;
    const uint64_t good = shm_piece(0, 1);
    for (size_t i = 0; i < SHM_PIECES_MAX + 1; i++)
        memcpy(listed + i * 8, &good, 8);
    memcpy(listed + 8, &reference, 8);
    publish(slot);
    refuse(what);
}

static void test_list(void)
{
    enum { AT = 2 * SHM_AREA_BYTES };
    const uint64_t good = shm_piece(5, 5);
    refuse_list(AT, 15 * 8, 16, good, "a list shorter than it says");
    refuse_list(AT, 17 * 8, 16, good, "a longer one");
    refuse_list(AT, 0, 0, good, "an empty one");
    refuse_list(AT, (SHM_PIECES_MAX + 1) * 8, SHM_PIECES_MAX + 1, good, "too long a one");
    refuse_list(AT, 8, UINT32_MAX / 8 + 2, good, "a length that wraps");
    refuse_list(8 * SHM_AREA_BYTES - 64, 16 * 8, 16, good, "one over the end");
    refuse_list(AT, 16 * 8, 16, shm_piece(8 * SHM_AREA_BYTES, 1), "one with a bad piece");
    refuse_list(AT, 16 * 8, 16, 0, "one with an empty piece");
    /* 65536 pieces of 1 MiB - 1 and more would be more than any message. */
    open_both();
    struct shm_slot *slot = blank(SHM_LIST, 0, 1);
    const uint64_t list = shm_piece(AT, SHM_PIECES_MAX * 8), large = shm_piece(0, 0xffff0);
    for (size_t i = 0; i < SHM_PIECES_MAX; i++)
        memcpy(both.a.ground.base + AT + i * 8, &large, 8);
    memcpy(slot->payload, &list, 8);
    slot->pieces = SHM_PIECES_MAX;
    publish(slot);
    refuse("a sum that is no message");
}

static void refuse_move(uint64_t offset, uint32_t slots, const char *what)
{
    struct parcel got;
    open_both();
    publish(blank(SHM_BYTES, 0, 1));
    struct shm_slot *slot = blank(SHM_MOVE, 0, 0);
    memcpy(slot->payload, &offset, 8);
    memcpy(slot->payload + 8, &slots, 4);
    publish(slot);
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_OK, "a message before it");
    shm_pair_taken(both.b.pair);
    refuse(what);
}

static void test_move(void)
{
    const uint64_t size_bytes = 8 * SHM_AREA_BYTES;
    refuse_move(4096, 0, "a ring of no slots");
    refuse_move(4096, 1, "a ring of one slot");
    refuse_move(4096, 24, "a number that is no power of two");
    refuse_move(4096, UINT32_C(1) << 31, "a ring larger than the segment");
    refuse_move(4096 + 64, 8, "a crooked one");
    refuse_move(size_bytes, 8, "one behind the end");
    refuse_move(size_bytes - 4 * SHM_SLOT_BYTES, 8, "one over the end");
    refuse_move(UINT64_MAX - SHM_SLOT_BYTES + 1, 8, "one that wraps");
    open_both();
    const uint64_t again = shm_heap_offset(both.a.ground.base, ring);
    const uint32_t slots = 8;
    publish(blank(SHM_BYTES, 0, 1));
    for (int i = 0; i < 2; i++) {
        struct shm_slot *slot = blank(SHM_MOVE, 0, 0);
        memcpy(slot->payload, &again, 8);
        memcpy(slot->payload + 8, &slots, 4);
        publish(slot);
    }
    struct parcel got;
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_OK, "a message");
    shm_pair_taken(both.b.pair);
    refuse("rings of nothing but MOVE, which could go on for ever");
}

static void test_offers(void)
{
    struct pair_side *b = &both.b;
    pair_pair_open(&both, 8);
    struct shm_pair *pair = shm_pair_create(b->ground.heap, NULL);
    const struct shm_view view = view_of(b, &both.a);
    const uint64_t size_bytes = view.size_bytes;
    const struct shm_offer bad[] = {
        {4096, 0, 8192},          {4096, 1, 8192},        {4096, 9, 8192},
        {4100, 8, 8192},          {size_bytes, 8, 8192},  {size_bytes - 1024 + 128, 8, 8192},
        {UINT64_MAX - 127, 8, 8192}, {4096, 8, 8193},     {4096, 8, size_bytes},
        {4096, 8, UINT64_MAX - 63},  {4096, UINT32_C(1) << 31, 8192}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        EQUAL(shm_pair_join(pair, &view, &bad[i]), SHM_BAD, "an offer without sense");
    OK(!shm_pair_is_joined(pair) && shm_pair_next_slot(pair) == NULL, "is not taken");
    both.b.view_is_gone = false;
    shm_pair_close(pair);
    OK(!both.b.view_is_gone, "so the view was never needed");
    pair_pair_close(&both);
}

/* The reader says it took what was not sent, or takes back what it said. */
static void test_consumed(void)
{
    const struct parcel out = {.bytes = (const uint8_t *)"x", .length = 1};
    for (int i = 0; i < 2; i++) {
        struct parcel got;
        pair_pair_open(&both, 8);
        struct shm_back *back =
            (void *)(both.b.ground.base + shm_pair_offer(both.b.pair).back_offset);
        for (int k = 0; k < 7; k++)
            shm_pair_send(both.a.pair, &out);
        atomic_store(&back->consumed, i == 0 ? 8 : 7);
        EQUAL(shm_pair_send(both.a.pair, &out), i == 0 ? SHM_BAD : SHM_OK, "looks at it");
        for (int k = 0; k < 6; k++)
            shm_pair_send(both.a.pair, &out);
        atomic_store(&back->consumed, 5);
        EQUAL(shm_pair_send(both.a.pair, &out), SHM_BAD, "refuses nonsense");
        EQUAL(shm_pair_send(both.a.pair, &out), SHM_BAD, "from then on");
        EQUAL(shm_pair_receive(both.a.pair, &got), SHM_BAD, "in both directions");
        pair_pair_close(&both);
    }
}

/* Handles of another time: what is lent is given back once. */
static void test_double_release(void)
{
    struct parcel got;
    struct made_body body;
    open_both();
    body_make_pieces(&body, &both.b.ground, BODY_FOREIGN, 1, 500, 1);
    const struct parcel out = body_parcel(&body, 1);
    shm_pair_send(both.b.pair, &out);
    shm_pair_send(both.b.pair, &out);
    body_drop(&body);
    struct shm_slot *slot = blank(SHM_RELEASE, 0, 2);
    const uint32_t handles[2] = {1, 1};
    memcpy(slot->payload, handles, sizeof(handles));
    publish(slot);
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_BAD, "the same one twice");
    EQUAL(shm_pair_lent_bytes(both.b.pair), 500, "the other stays lent");
    pair_pair_close(&both);
    OK(both.b.ground.is_gone, "every block came back");
}

/* What was read before stays readable. */
static void test_read_stays(void)
{
    struct parcel got;
    struct made_body body;
    struct slice held;
    open_both();
    body_make_pieces(&body, &both.a.ground, BODY_FOREIGN, 1, 5000, 1);
    const struct parcel out = body_parcel(&body, 1);
    shm_pair_send(both.a.pair, &out);
    body_drop(&body);
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_OK, "a good message");
    held = slice_hold(got.pieces[0]);
    shm_pair_taken(both.b.pair);
    position = 1;
    publish(blank(77, 0, 0));
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_BAD, "then nonsense");
    OK(bytes_are(held.data, held.length, 1, 0), "what was read stays");
    slice_drop(&held);
    EQUAL(shm_pair_release(both.b.pair), SHM_BAD, "it cannot be given back any more");
    pair_pair_close(&both);
    OK(both.a.ground.is_gone && both.b.view_is_gone, "closing is as ever");
}

/* A stamp out of turn is nothing at all. */
static void test_stamps(void)
{
    struct parcel got;
    open_both();
    const uint32_t stamps[] = {1, 0, UINT32_C(0x80000001), UINT32_MAX, UINT32_C(0x7fffffff)};
    blank(SHM_BYTES, 0, 1);
    for (size_t i = 0; i < ARRAY_LEN(stamps); i++) {
        atomic_store(&ring[0].stamp, stamps[i]);
        EQUAL(shm_pair_receive(both.b.pair, &got), SHM_NONE, "another stamp is no message");
    }
    atomic_store(&ring[0].stamp, shm_stamp(0));
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_OK, "its own is");
    shm_pair_taken(both.b.pair);
    pair_pair_close(&both);
}

/* Any bytes with the right stamp: every slice is inside of the view, the pair can be closed. */
static void test_any_bytes(void)
{
    struct rng rng;
    int failed = 0;
    rng_seed(&rng, 5);
    for (int round = 0; round < 300; round++) {
        open_both();
        struct made_body body;
        body_make_pieces(&body, &both.b.ground, BODY_FOREIGN, 1, 300, 1);
        const struct parcel out = body_parcel(&body, 1);
        for (int i = 0; i < 3; i++)
            shm_pair_send(both.b.pair, &out);
        body_drop(&body);
        for (int step = 0; step < 200; step++) {
            struct parcel got;
            uint8_t *bytes = (uint8_t *)&ring[position % 8];
            for (size_t i = 4; i < sizeof(*ring); i++)
                bytes[i] = (uint8_t)(rng_below(&rng, 3) ? rng_below(&rng, 4) : rng_next(&rng));
            ring[position % 8].kind = (uint8_t)rng_below(&rng, 7);
            atomic_store(&ring[position % 8].stamp, shm_stamp(position));
            position++;
            const enum shm_result result = shm_pair_receive(both.b.pair, &got);
            if (result == SHM_BAD)
                break;
            if (result != SHM_OK)
                continue;
            for (size_t i = 0; i < got.piece_count; i++) {
                const uint64_t at = (uint64_t)(got.pieces[i].data - both.a.ground.base);
                failed += at > both.a.ground.size_bytes ||
                          got.pieces[i].length > both.a.ground.size_bytes - at;
            }
            shm_pair_taken(both.b.pair);
        }
        pair_pair_close(&both);
        failed += !both.b.ground.is_gone || !both.b.view_is_gone;
    }
    EQUAL(failed, 0, "any bytes are a message inside of the view, or nothing");
}

int main(void)
{
    TEST(test_kinds);
    TEST(test_pieces);
    TEST(test_list);
    TEST(test_move);
    TEST(test_offers);
    TEST(test_consumed);
    TEST(test_double_release);
    TEST(test_read_stays);
    TEST(test_stamps);
    TEST(test_any_bytes);
    return tap_done();
}
