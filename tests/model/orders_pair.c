/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The code of src/shm itself in every order (orders.h): two processes as coroutines, each with a
 * segment, an inbox and a bell, and a pair between them. The stories are short, but each crosses
 * one of the places where rings go wrong: the full ring and its MOVE, a body lent and given back, a
 * sleeper that is rung, a pair that cools, a death.
 *
 * What is freed is overwritten at once, rings with slots that fit the reader's next position. What
 * must hold: messages in order, once, whole; nothing waits for ever; in the end everything that was
 * lent is back and both heaps are empty; after a death the survivor has every slot the dead one
 * stamped.
 *
 *   orders_pair [MORE]    MORE: so many more changes of place than by default; may be negative
 */
#include "orders.h"

#include "base/check.h"
#include "shm/inbox.h"
#include "shm/pair_state.h"
#include "tap.h"

#include <stdlib.h>

enum {
    SEGMENT_BYTES = 4 * SHM_AREA_BYTES,
    RESERVED_BYTES = 4096,
    STALE = 0xa5,  /* what is found in memory */
    SPOILT = 0xee, /* what was freed */
    SPOILT_TAG = 0x5b5b5b5b,
    LARGE_BYTES = 200,
    ALICE = 0,
    BOB = 1
};

struct place {
    uint8_t *base;
    struct shm_heap *heap;
    struct shm_inbox inbox;
    struct shm_ears ears;
    struct shm_pair *pair;
    int bell;         /* an eventfd: the kernel's */
    bool cools;       /* whenever it finds nothing */
    int sent, taken;  /* messages */
    uint32_t stamped; /* slots that the other can see */
    bool is_view_gone;
    bool is_told; /* the other is gone */
};

static _Alignas(4096) uint8_t segments[ORDERS_SIDES][SEGMENT_BYTES];
static struct place places[ORDERS_SIDES];
static void (*give_block_back)(struct buf *buf);

static struct place *me(void)
{
    return &places[orders_self()];
}

static struct place *other(void)
{
    return &places[!orders_self()];
}

/* ---- memory: stale when it is new, spoilt when it is free ---- */

static int populate(void *context, uint64_t offset, uint64_t length)
{
    struct place *place = context;
    memset(place->base + offset, STALE, length);
    return 0;
}

static void discard(void *context, uint64_t offset, uint64_t length)
{
    populate(context, offset, length);
}

static void heap_gone(void *context)
{
    struct place *place = context;
    place->heap = NULL;
}

static void view_gone(void *context)
{
    struct place *place = context;
    place->is_view_gone = true;
}

/* Fills a free block with slots that the reader would take, were it still to look there. */
static void block_spoil(struct buf *buf)
{
    struct place *reader =
        &places[buf->data >= segments[0] && buf->data < segments[0] + SEGMENT_BYTES];
    memset(buf->data, SPOILT, buf->capacity);
    for (size_t at = 0; at + SHM_SLOT_BYTES <= buf->capacity; at += SHM_SLOT_BYTES) {
        struct shm_slot *slot = (void *)(buf->data + at);
        slot->kind = SHM_BYTES;
        slot->flags = 0;
        slot->count = 4;
        slot->tag = SPOILT_TAG;
        if (reader->pair)
            atomic_store_explicit(&slot->stamp, shm_stamp(reader->pair->in_next),
                                  memory_order_relaxed);
    }
    give_block_back(buf);
}

static void block_watch(struct buf *buf)
{
    if (buf->release == block_spoil)
        return;
    CHECK(!give_block_back || give_block_back == buf->release);
    give_block_back = buf->release;
    buf->release = block_spoil;
}

/* Rings are made inside: they are found at the next point. Also counts what was published. */
static void watch(const char *name)
{
    for (int i = 0; i < ORDERS_SIDES; i++)
        for (struct shm_ring *ring = places[i].pair ? places[i].pair->rings : NULL; ring;
             ring = ring->next)
            block_watch(ring->buf);
    if (strcmp(name, "slot stamped") == 0)
        me()->stamped++;
}

/* ---- the world ---- */

static void place_init(struct place *place, uint8_t *base)
{
    const struct shm_heap_ops ops = {
        .context = place, .populate = populate, .discard = discard, .gone = heap_gone};
    *place = (struct place){.base = base};
    memset(base, 0, RESERVED_BYTES);
    place->heap = shm_heap_create(base, SEGMENT_BYTES, RESERVED_BYTES, SEGMENT_BYTES, &ops);
    shm_ears_init(&place->ears, &place->inbox, (struct shm_header *)(void *)base);
    place->pair = shm_pair_create(place->heap, NULL);
}

static void places_join(void)
{
    for (int i = 0; i < ORDERS_SIDES; i++) {
        const struct shm_view view = {.base = places[!i].base,
                                      .size_bytes = SEGMENT_BYTES,
                                      .context = &places[i],
                                      .gone = view_gone};
        const struct shm_offer offer = shm_pair_offer(places[!i].pair);
        CHECK(shm_pair_join(places[i].pair, &view, &offer) == SHM_OK);
    }
}

/* ---- what the sides do ---- */

static uint8_t byte_of(int message, size_t at)
{
    return (uint8_t)(message * 31 + (int)at * 7 + 1);
}

static void ring_bell(void)
{
    const struct shm_header *header = (const void *)other()->base;
    if (!shm_bell_ring(&other()->inbox, header, (uint32_t)orders_self()))
        return;
    orders_point("rings");
    other()->bell++;
    orders_point("rang");
}

/* A message of |length| bytes, more than a slot holds: of the own heap, so lent. */
static void send(size_t length)
{
    uint8_t bytes[SHM_INLINE_BYTES_MAX];
    struct slice piece;
    if (!me()->pair)
        return; /* the other was gone already */
    struct parcel parcel = {.tag = me()->sent, .sequence = (uint64_t)me()->sent, .length = length};
    struct buf *buf = NULL;
    uint8_t *to = bytes;
    if (length > SHM_INLINE_BYTES_MAX) {
        buf = shm_heap_get(me()->heap, length);
        CHECK(buf);
        block_watch(buf);
        to = buf->data;
        piece = (struct slice){.buf = buf, .data = to, .length = length};
        parcel.pieces = &piece;
        parcel.piece_count = 1;
    } else {
        parcel.bytes = bytes;
    }
    for (size_t i = 0; i < length; i++)
        to[i] = byte_of(me()->sent, i);
    orders_check(shm_pair_send(me()->pair, &parcel) == SHM_OK, "a message cannot be sent");
    buf_drop(buf);
    me()->sent++;
    ring_bell();
}

static bool is_body_whole(const struct parcel *parcel)
{
    size_t at = 0;
    for (size_t i = 0; i < parcel->length && !parcel->pieces; i++)
        if (parcel->bytes[i] != byte_of(parcel->tag, i))
            return false;
    for (size_t i = 0; parcel->pieces && i < parcel->piece_count; i++)
        for (size_t k = 0; k < parcel->pieces[i].length; k++, at++)
            if (parcel->pieces[i].data[k] != byte_of(parcel->tag, at))
                return false;
    return !parcel->pieces || at == parcel->length;
}

/* One message if there is one; a lent body is held for a while and read again. */
static bool take(void)
{
    struct parcel parcel;
    struct slice held = {0};
    const enum shm_result result = shm_pair_receive(me()->pair, &parcel);
    orders_check(result == SHM_OK || result == SHM_NONE, "the pair is said to be bad");
    if (result != SHM_OK)
        return false;
    orders_check(parcel.tag == me()->taken, "a message twice, out of order, or none");
    orders_check(parcel.tag == (int)parcel.sequence, "a torn head");
    orders_check(is_body_whole(&parcel), "a torn body");
    if (parcel.pieces)
        held = slice_hold(parcel.pieces[0]);
    me()->taken++;
    shm_pair_taken(me()->pair);
    orders_point("holds");
    if (held.buf) {
        const struct parcel again = {
            .tag = parcel.tag, .pieces = &held, .piece_count = 1, .length = held.length};
        orders_check(is_body_whole(&again), "a body changed while it was held");
    }
    slice_drop(&held);
    return true;
}

static bool is_called_alice(void)
{
    return places[ALICE].bell > 0 || (orders_is_dead(BOB) && !places[ALICE].is_told);
}

static bool is_called_bob(void)
{
    return places[BOB].bell > 0 || (orders_is_dead(ALICE) && !places[BOB].is_told);
}

/* TM_GONE: everything that the dead one published, then the end. */
static void bury(void)
{
    me()->is_told = true;
    while (take())
        ;
    orders_check(me()->pair->in_next == other()->stamped, "what a dead side published is lost");
    shm_pair_close(me()->pair);
    me()->pair = NULL;
}

/* Some news of the other: a hot pair, or what can be found by listening. */
static bool listen(void)
{
    const uint32_t index = (uint32_t)!orders_self();
    return shm_ears_listen(&me()->ears) && shm_ears_next(&me()->ears, (int)index) == (int)index &&
           shm_pair_has_news(me()->pair);
}

/* Cools the pair; true: there was something after all. */
static bool cool(void)
{
    const uint32_t index = (uint32_t)!orders_self();
    if (!me()->cools || shm_ears_next(&me()->ears, (int)index) != (int)index)
        return false;
    shm_ears_cool(&me()->ears, index);
    if (!shm_pair_has_news(me()->pair))
        return false;
    shm_ears_warm(&me()->ears, index);
    return true;
}

/* Gives back what was read, then sleeps until there is news. */
static void rest(void)
{
    if (shm_pair_release(me()->pair) == SHM_OK)
        ring_bell();
    me()->bell = 0;
    shm_ears_sleep(&me()->ears);
    if (!listen()) {
        orders_point("sleeps");
        orders_wait(orders_self() == ALICE ? is_called_alice : is_called_bob);
        orders_point("wakes");
    }
    shm_ears_awake(&me()->ears);
}

static bool has_all(int messages)
{
    return !me()->pair || (me()->taken >= messages && shm_pair_lent_bytes(me()->pair) == 0);
}

/* Until so many messages were taken and everything lent is back, or the other is gone. */
static void receive(int messages)
{
    while (!has_all(messages)) {
        if (orders_is_dead(!orders_self())) {
            bury();
            return;
        }
        if ((!listen() && !cool()) || (!take() && !has_all(messages)))
            rest();
    }
    if (me()->pair && shm_pair_release(me()->pair) == SHM_OK)
        ring_bell();
}

/* ---- the end ---- */

static void look_at_the_end(void)
{
    for (int i = 0; i < ORDERS_SIDES; i++) {
        struct place *place = &places[i];
        if (orders_is_dead(i))
            continue;
        orders_check(orders_is_dead(!i) || place->taken == places[!i].sent, "a message is lost");
        if (place->pair) {
            orders_check(shm_pair_lent_bytes(place->pair) == 0, "a body was not given back");
            shm_pair_close(place->pair);
            place->pair = NULL;
        }
        orders_check(place->is_view_gone, "the other's memory is still held");
        orders_check(shm_heap_stats(place->heap).used_bytes == 0, "the heap is not empty");
    }
}

/* ---- stories ---- */

static void begin(void)
{
    give_block_back = NULL;
    orders_watch = watch;
    memset(places, 0, sizeof(places));
    for (int i = 0; i < ORDERS_SIDES; i++)
        place_init(&places[i], segments[i]);
    places_join();
}

static void begin_cooling(void)
{
    begin();
    places[BOB].cools = true;
}

/* So many messages were sent, so many of them taken, before it begins. */
static void begin_with(int sent, int taken)
{
    begin();
    orders_act_as(ALICE);
    while (places[ALICE].sent < sent)
        send(8);
    places[ALICE].stamped = (uint32_t)sent;
    orders_act_as(BOB);
    listen();
    while (places[BOB].taken < taken)
        take();
}

static void begin_nearly_full(void)
{
    begin_with(SHM_RING_SLOTS_FIRST - 2, 0);
}

static void begin_nearly_round(void)
{
    begin_with(SHM_RING_SLOTS_FIRST - 2, SHM_RING_SLOTS_FIRST - 4);
}

static void sends_two(void)
{
    send(8);
    send(SHM_INLINE_BYTES_MAX);
}

static void takes_two(void)
{
    receive(2);
}

static void sends_three_more(void)
{
    for (int i = 0; i < 3; i++)
        send(8);
    if (me()->pair)
        shm_pair_release(me()->pair); /* looks for rings that are left */
}

static void takes_all(void)
{
    receive(SHM_RING_SLOTS_FIRST + 1);
}

static void lends_twice(void)
{
    send(LARGE_BYTES);
    receive(0);
    send(LARGE_BYTES);
    receive(0);
}

static void sends_and_takes(void)
{
    send(8);
    send(LARGE_BYTES);
    receive(2);
}

/* name, begin, sides, end, changes, mortal */
static struct orders_story stories[] = {
    {"a sleeper is woken", begin, {sends_two, takes_two}, look_at_the_end, 4, 0},
    {"a pair cools", begin_cooling, {sends_two, takes_two}, look_at_the_end, 4, 0},
    {"a full ring goes on",
     begin_nearly_full,
     {sends_three_more, takes_all},
     look_at_the_end,
     4,
     0},
    {"a ring goes round", begin_nearly_round, {sends_three_more, takes_all}, look_at_the_end, 4, 0},
    {"bodies are lent and reused", begin, {lends_twice, takes_two}, look_at_the_end, 4, 0},
    {"both send both kinds", begin, {sends_and_takes, sends_and_takes}, look_at_the_end, 3, 0},
    {"a sleeper's friend dies", begin, {sends_two, takes_two}, look_at_the_end, 3, 3},
    {"death at a full ring",
     begin_nearly_full,
     {sends_three_more, takes_all},
     look_at_the_end,
     2,
     3},
    {"death of who lends or borrows", begin, {lends_twice, takes_two}, look_at_the_end, 2, 3},
    {"death while both send", begin, {sends_and_takes, sends_and_takes}, look_at_the_end, 2, 3},
};

int main(int argc, char **argv)
{
    const int more = argc > 1 ? atoi(argv[1]) : 0;
    for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
        stories[i].changes_max += more;
        const struct orders_result result = orders_explore(&stories[i]);
        printf("# %llu orders of up to %llu points, %llu deaths\n", (unsigned long long)result.runs,
               (unsigned long long)result.points_max, (unsigned long long)result.deaths);
        if (result.wrong) {
            printf("# %s\n", result.wrong);
            orders_tell(&stories[i]);
        }
        OK(!result.wrong, stories[i].name);
    }
    return tap_done();
}
