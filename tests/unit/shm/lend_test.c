/* SPDX-License-Identifier: BSD-3-Clause */
/* Bodies of a pair: every shape arrives whole, is lent, and comes back whatever the order. */
#include "base/mem.h"
#include "bodies.h"
#include "tap.h"

static struct pair_pair both;

/* One message from a to b and back to nothing; how it failed, or NULL. */
static const char *carry(const struct parcel *out, uint64_t seed)
{
    struct parcel got;
    if (shm_pair_send(both.a.pair, out) != SHM_OK)
        return "not sent";
    if (shm_pair_receive(both.b.pair, &got) != SHM_OK)
        return "not received";
    if (!parcel_is(&got, seed, out->length) || got.sequence != out->sequence ||
        got.time != out->time || got.tag != out->tag || got.is_mcast != out->is_mcast ||
        got.wait_id != out->wait_id || got.party != out->party)
        return "not the same";
    shm_pair_taken(both.b.pair);
    shm_pair_release(both.b.pair);
    shm_pair_collect(both.a.pair);
    return shm_pair_lent_bytes(both.a.pair) == 0 ? NULL : "still lent";
}

static const size_t lengths[] = {
    0,   1,   2,   3,    4,    5,    7,    8,     9,     15,    16,     17,      23,
    24,  25,  31,  32,   33,   40,   47,   48,    56,    63,    64,     65,      71,
    72,  73,  80,  100,  255,  256,  257,  1000,  1024,  1025,  4095,   4096,    4097,
    8192, 10000, 16384, 16385, 40000, 65536, 65537, 300000, 1048576, 1048577, 5000000};

static void test_bytes(void)
{
    OK(pair_pair_open(&both, 32), "a pair of pairs");
    uint8_t *bytes = malloc(5000000);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        /* Its own block, so that a checker sees what is read beyond its end. */
        uint8_t *exact = malloc(lengths[i] ? lengths[i] : 1);
        body_write(exact, lengths[i], i, 0);
        struct parcel out = {.tag = -5, .bytes = exact, .length = lengths[i], .sequence = i};
        const char *failed = carry(&out, i);
        out.wait_id = 9;
        if (!failed)
            failed = carry(&out, i);
        out.party = 0x40005;
        if (!failed)
            failed = carry(&out, i);
        if (failed)
            printf("# %zu bytes: %s\n", lengths[i], failed);
        OK(!failed, "bytes of a certain length");
        free(exact);
    }
    free(bytes);
    EQUAL(shm_pair_lent_bytes(both.a.pair), 0, "nothing is lent");
    pair_pair_close(&both);
    OK(both.a.ground.is_gone, "every block came back");
}

static void test_pieces(void)
{
    static const size_t counts[] = {1, 2, 3, 4, 8, 9, 10, 11, 40, 200};
    static const size_t piece_lengths[] = {0, 1, 7, 24, 72, 256, 1000, 5000, 70000};
    struct made_body body;
    OK(pair_pair_open(&both, 64), "a pair of pairs");
    for (int kind = BODY_OWN; kind <= BODY_MIXED; kind++)
        for (size_t i = 0; i < ARRAY_LEN(counts); i++)
            for (size_t k = 0; k < ARRAY_LEN(piece_lengths); k++) {
                const uint64_t seed = i * 10 + k;
                if (counts[i] * piece_lengths[k] > 6000000)
                    continue;
                const char *failed = "not made";
                if (body_make_pieces(&body, &both.a.ground, kind, counts[i], piece_lengths[k],
                                     seed)) {
                    const struct parcel out = body_parcel(&body, seed);
                    failed = carry(&out, seed);
                }
                body_drop(&body);
                if (failed)
                    printf("# kind %d, %zu of %zu bytes: %s\n", kind, counts[i],
                           piece_lengths[k], failed);
                OK(!failed, "pieces");
            }
    pair_pair_close(&both);
    OK(both.a.ground.is_gone, "every block came back");
}

static void test_own_is_not_copied(void)
{
    struct made_body body;
    struct parcel got;
    pair_pair_open(&both, 8);
    body_make_pieces(&body, &both.a.ground, BODY_OWN, 2, 3000, 1);
    const struct parcel out = body_parcel(&body, 1);
    const uint64_t used = shm_heap_stats(both.a.ground.heap).used_bytes;
    EQUAL(shm_pair_send(both.a.pair, &out), SHM_OK, "sent");
    EQUAL(shm_heap_stats(both.a.ground.heap).used_bytes, used, "without a block more");
    EQUAL(shm_pair_lent_bytes(both.a.pair), 6000, "it is lent");
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_OK, "received");
    OK(got.piece_count == 2 && got.pieces[0].data == body.pieces[0].data, "read where it lies");
    shm_pair_taken(both.b.pair);
    body_drop(&body);
    EQUAL(shm_heap_stats(both.a.ground.heap).used_bytes, used, "the loan keeps the blocks");
    EQUAL(shm_pair_release(both.b.pair), SHM_OK, "given back");
    shm_pair_collect(both.a.pair);
    EQUAL(shm_heap_stats(both.a.ground.heap).used_bytes, used - 8192, "the blocks are free");
    pair_pair_close(&both);
}

/* Slices that touch in one block are one piece. */
static void test_merge(void)
{
    struct slice pieces[40];
    struct parcel got;
    pair_pair_open(&both, 8);
    struct buf *buf = shm_heap_get(both.a.ground.heap, 4000);
    body_write(buf->data, 4000, 3, 0);
    for (size_t i = 0; i < 40; i++)
        pieces[i] = slice_of(buf, i * 100, 100);
    const struct parcel out = {.pieces = pieces, .piece_count = 40, .length = 4000};
    EQUAL(shm_pair_send(both.a.pair, &out), SHM_OK, "sent");
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_OK, "received");
    EQUAL(got.piece_count, 1, "as one piece");
    OK(parcel_is(&got, 3, 4000), "whole");
    for (size_t i = 0; i < 40; i++)
        slice_drop(&pieces[i]);
    buf_drop(buf);
    shm_pair_taken(both.b.pair);
    pair_pair_close(&both);
    OK(both.a.ground.is_gone, "every block came back");
}

/* More than a slot can say in any form: it is copied into few pieces. */
static void test_very_many(void)
{
    enum { MANY = SHM_PIECES_MAX + 10 };
    struct parcel got;
    pair_pair_open(&both, 16);
    struct buf *buf = shm_heap_get(both.a.ground.heap, 65536);
    struct slice *pieces = malloc(MANY * sizeof(*pieces));
    for (size_t i = 0; i < MANY; i++) {
        buf->data[i % 65536] = (uint8_t)(i % 65536 * 5);
        pieces[i] = (struct slice){.buf = buf, .data = buf->data + i * 7 % 65536, .length = 1};
    }
    const struct parcel out = {.pieces = pieces, .piece_count = MANY, .length = MANY};
    EQUAL(shm_pair_send(both.a.pair, &out), SHM_OK, "more pieces than can be listed");
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_OK, "received");
    OK(got.piece_count < 10 && got.length == MANY, "in few pieces");
    size_t wrong = 0;
    for (size_t i = 0, at = 0, piece = 0; i < got.length; i++, at++) {
        if (at == got.pieces[piece].length)
            at = 0, piece++;
        wrong += got.pieces[piece].data[at] != *pieces[i].data;
    }
    EQUAL(wrong, 0, "each byte is in its place");
    shm_pair_taken(both.b.pair);
    /* As many as can be listed stay where they are. */
    const struct parcel listed = {.pieces = pieces, .piece_count = SHM_PIECES_MAX,
                                  .length = SHM_PIECES_MAX};
    EQUAL(shm_pair_send(both.a.pair, &listed), SHM_OK, "as many as can be listed");
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_OK, "received");
    EQUAL(got.piece_count, SHM_PIECES_MAX, "each is a piece");
    shm_pair_taken(both.b.pair);
    buf_drop(buf);
    free(pieces);
    pair_pair_close(&both);
    OK(both.a.ground.is_gone, "every block came back");
}

static void test_mcast(void)
{
    struct made_body body;
    struct parcel got;
    for (int kind = BODY_OWN; kind <= BODY_MIXED; kind++) {
        pair_pair_open(&both, 16);
        body_make_pieces(&body, &both.a.ground, kind, 3, 12, 2);
        struct parcel out = body_parcel(&body, 2);
        out.is_mcast = true;
        out.party = 5;
        EQUAL(shm_pair_send(both.a.pair, &out), SHM_OK, "a multicast is sent");
        EQUAL(shm_pair_receive(both.b.pair, &got), SHM_OK, "received");
        OK(got.is_mcast && got.party == 5, "as one");
        OK(got.piece_count >= 2 && got.pieces[0].length == 12, "its list is the first piece");
        OK(parcel_is(&got, 2, 36), "whole");
        shm_pair_taken(both.b.pair);
        body_drop(&body);
        pair_pair_close(&both);
        OK(both.a.ground.is_gone, "every block came back");
    }
    /* The list and the body touch in one block, and are two pieces all the same. */
    pair_pair_open(&both, 16);
    struct buf *buf = shm_heap_get(both.a.ground.heap, 256);
    body_write(buf->data, 200, 6, 0);
    struct slice parts[3] = {slice_of(buf, 0, 24), slice_of(buf, 24, 76), slice_of(buf, 100, 100)};
    const struct parcel touching = {
        .pieces = parts, .piece_count = 3, .is_mcast = true, .length = 200};
    EQUAL(shm_pair_send(both.a.pair, &touching), SHM_OK, "list and body in one block");
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_OK, "received");
    OK(got.piece_count == 2 && got.pieces[0].length == 24 && parcel_is(&got, 6, 200), "two pieces");
    shm_pair_taken(both.b.pair);
    for (size_t i = 0; i < 3; i++)
        slice_drop(&parts[i]);
    buf_drop(buf);
    pair_pair_close(&both);
    pair_pair_open(&both, 16);
    uint8_t *list = calloc(1, SHM_BLOCK_BYTES_MAX + 1);
    struct slice pieces[2] = {{.data = list, .length = SHM_BLOCK_BYTES_MAX},
                              {.data = list, .length = 1}};
    struct parcel out = {.pieces = pieces, .piece_count = 2, .is_mcast = true,
                         .length = SHM_BLOCK_BYTES_MAX + 1};
    EQUAL(shm_pair_send(both.a.pair, &out), SHM_OK, "the longest list");
    EQUAL(shm_pair_receive(both.b.pair, &got), SHM_OK, "received");
    OK(got.piece_count == 2 && got.pieces[1].length == 1, "in one piece");
    shm_pair_taken(both.b.pair);
    pieces[0].length++;
    out.length++;
    EQUAL(shm_pair_send(both.a.pair, &out), SHM_NO_MEMORY, "a longer one does not fit");
    free(list);
    pair_pair_close(&both);
}

/* Two pairs of one sender share a body. */
static void test_shared_body(void)
{
    static struct pair_pair others;
    struct made_body body;
    struct parcel got;
    pair_pair_open(&both, 8);
    pair_pair_open(&others, 8);
    struct shm_pair *second = shm_pair_create(both.a.ground.heap, NULL);
    struct shm_pair *reader = shm_pair_create(others.b.ground.heap, NULL);
    const struct shm_view views[2] = {view_of(&both.a, &others.b), view_of(&others.b, &both.a)};
    const struct shm_offer offers[2] = {shm_pair_offer(second), shm_pair_offer(reader)};
    OK(shm_pair_join(second, &views[0], &offers[1]) == SHM_OK &&
           shm_pair_join(reader, &views[1], &offers[0]) == SHM_OK,
       "a third process joins");
    body_make_pieces(&body, &both.a.ground, BODY_OWN, 1, 9000, 4);
    const struct parcel out = body_parcel(&body, 4);
    const uint64_t used = shm_heap_stats(both.a.ground.heap).used_bytes;
    OK(shm_pair_send(both.a.pair, &out) == SHM_OK && shm_pair_send(second, &out) == SHM_OK,
       "one body for two");
    EQUAL(shm_heap_stats(both.a.ground.heap).used_bytes, used, "no copy");
    body_drop(&body);
    OK(shm_pair_receive(reader, &got) == SHM_OK && parcel_is(&got, 4, 9000), "one reads it");
    shm_pair_taken(reader);
    shm_pair_release(reader);
    shm_pair_collect(second);
    EQUAL(shm_heap_stats(both.a.ground.heap).used_bytes, used, "it is kept for the other");
    OK(shm_pair_receive(both.b.pair, &got) == SHM_OK && parcel_is(&got, 4, 9000), "who reads it");
    shm_pair_taken(both.b.pair);
    shm_pair_release(both.b.pair);
    shm_pair_collect(both.a.pair);
    EQUAL(shm_heap_stats(both.a.ground.heap).used_bytes, used - 16384, "then it is free");
    shm_pair_close(second);
    shm_pair_close(reader);
    pair_pair_close(&both);
    pair_pair_close(&others);
}

/* What was received is dropped in some order, and all of it comes back. */
static void test_any_order(void)
{
    enum { MESSAGES = 300 };
    static struct slice held[MESSAGES];
    struct made_body body;
    struct parcel got;
    int failed = 0;
    pair_pair_open(&both, 32);
    for (uint64_t i = 0; i < MESSAGES; i++) {
        body_make_pieces(&body, &both.a.ground, BODY_FOREIGN, 1, 100 + (size_t)i * 13, i);
        const struct parcel out = body_parcel(&body, i);
        failed += shm_pair_send(both.a.pair, &out) != SHM_OK;
        body_drop(&body);
    }
    for (uint64_t i = 0; i < MESSAGES; i++) {
        failed += shm_pair_receive(both.b.pair, &got) != SHM_OK ||
                  !parcel_is(&got, i, 100 + (size_t)i * 13);
        hold_pieces(&got, &held[i]);
        shm_pair_taken(both.b.pair);
    }
    EQUAL(failed, 0, "all arrive, in order");
    EQUAL(shm_pair_release(both.b.pair), SHM_NONE, "nothing goes back while it is held");
    for (size_t i = 0; i < MESSAGES; i++) {
        const size_t k = i * 7 % MESSAGES;
        failed += !bytes_are(held[k].data, held[k].length, k, 0);
        slice_drop(&held[k]);
        if (i % 50 == 0)
            shm_pair_collect(both.a.pair);
    }
    EQUAL(failed, 0, "each is whole until it is dropped");
    shm_pair_release(both.b.pair);
    shm_pair_collect(both.a.pair);
    EQUAL(shm_pair_lent_bytes(both.a.pair), 0, "all of it came back");
    pair_pair_close(&both);
    OK(both.a.ground.is_gone && both.b.ground.is_gone, "every block came back");
}

/* Releases are published in batches, by number and by size, without being asked for. */
static void test_batches(void)
{
    struct made_body body;
    struct parcel got;
    pair_pair_open(&both, 16);
    for (size_t i = 0; i < SHM_RELEASES_MAX; i++) {
        EQUAL(shm_pair_waiting_slots(both.b.pair), 0, "nothing goes back yet");
        body_make_pieces(&body, &both.a.ground, BODY_FOREIGN, 1, 100, i);
        const struct parcel out = body_parcel(&body, i);
        shm_pair_send(both.a.pair, &out);
        body_drop(&body);
        shm_pair_receive(both.b.pair, &got);
        shm_pair_taken(both.b.pair);
    }
    EQUAL(shm_pair_waiting_slots(both.b.pair), 1, "many handles go back in one slot");
    shm_pair_collect(both.a.pair);
    EQUAL(shm_pair_waiting_slots(both.b.pair), 0, "it was read");
    body_make_pieces(&body, &both.a.ground, BODY_FOREIGN, 1, SHM_RELEASE_BYTES, 1);
    const struct parcel out = body_parcel(&body, 1);
    shm_pair_send(both.a.pair, &out);
    shm_pair_receive(both.b.pair, &got);
    shm_pair_taken(both.b.pair);
    EQUAL(shm_pair_waiting_slots(both.b.pair), 1, "a large body goes back at once");
    shm_pair_send(both.a.pair, &out);
    EQUAL(shm_pair_lent_bytes(both.a.pair), SHM_RELEASE_BYTES,
          "the next large message finds it before it takes memory");
    body_drop(&body);
    pair_pair_close(&both);
}

/* A message stands before the releases: collecting stops at it. */
static void test_collect_behind_message(void)
{
    struct made_body body;
    struct parcel got;
    pair_pair_open(&both, 8);
    body_make_pieces(&body, &both.a.ground, BODY_FOREIGN, 1, 1000, 1);
    const struct parcel out = body_parcel(&body, 1);
    const struct parcel tiny = {.bytes = (const uint8_t *)"x", .length = 1};
    shm_pair_send(both.a.pair, &out);
    body_drop(&body);
    shm_pair_receive(both.b.pair, &got);
    shm_pair_taken(both.b.pair);
    shm_pair_send(both.b.pair, &tiny);
    EQUAL(shm_pair_release(both.b.pair), SHM_OK, "given back");
    shm_pair_collect(both.a.pair);
    EQUAL(shm_pair_lent_bytes(both.a.pair), 1000, "behind a message it is not seen");
    EQUAL(shm_pair_receive(both.a.pair, &got), SHM_OK, "the message");
    shm_pair_collect(both.a.pair);
    EQUAL(shm_pair_lent_bytes(both.a.pair), 1000, "which is still being dealt with");
    shm_pair_taken(both.a.pair);
    EQUAL(shm_pair_receive(both.a.pair, &got), SHM_NONE, "behind it no message");
    EQUAL(shm_pair_lent_bytes(both.a.pair), 0, "but what was lent");
    pair_pair_close(&both);
}

static void test_close_while_borrowed(void)
{
    struct made_body body;
    struct slice held[3];
    struct parcel got;
    pair_pair_open(&both, 8);
    for (uint64_t i = 0; i < 3; i++) {
        body_make_pieces(&body, &both.a.ground, BODY_FOREIGN, 1, 2000, i);
        const struct parcel out = body_parcel(&body, i);
        shm_pair_send(both.a.pair, &out);
        body_drop(&body);
        shm_pair_receive(both.b.pair, &got);
        hold_pieces(&got, &held[i]);
        if (i < 2)
            shm_pair_taken(both.b.pair);
    }
    slice_drop(&held[0]); /* waits to be given back, in vain */
    shm_pair_close(both.b.pair); /* with a message that was not dealt with */
    both.b.pair = NULL;
    OK(!both.b.view_is_gone, "what is borrowed keeps the view");
    OK(bytes_are(held[1].data, 2000, 1, 0), "it can be read");
    slice_drop(&held[1]);
    OK(!both.b.view_is_gone, "the last but one");
    slice_drop(&held[2]);
    OK(both.b.view_is_gone, "the last one lets it go");
    EQUAL(shm_pair_lent_bytes(both.a.pair), 6000, "the other side still lends");
    shm_pair_close(both.a.pair);
    both.a.pair = NULL;
    EQUAL(shm_heap_stats(both.a.ground.heap).used_bytes, 0, "until it closes too");
    pair_pair_close(&both);
}

int main(void)
{
    TEST(test_bytes);
    TEST(test_pieces);
    TEST(test_own_is_not_copied);
    TEST(test_merge);
    TEST(test_very_many);
    TEST(test_mcast);
    TEST(test_shared_body);
    TEST(test_any_order);
    TEST(test_batches);
    TEST(test_collect_behind_message);
    TEST(test_close_while_borrowed);
    return tap_done();
}
