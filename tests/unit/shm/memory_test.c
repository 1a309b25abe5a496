/* SPDX-License-Identifier: BSD-3-Clause */
/* A pair without memory, at each allocation and each populating: SHM_NO_MEMORY, nothing lost. */
#include "base/mem.h"
#include "bodies.h"
#include "tap.h"

static struct pair_pair both;

enum { MESSAGES = 60 };

static struct made_body bodies[MESSAGES];

/* Inline, by pieces and by list in turns, so that rings grow too. */
static bool make_bodies(void)
{
    bool made = true;
    for (size_t i = 0; i < MESSAGES; i++) {
        const size_t count = i % 3 == 0 ? 1 : i % 3 == 1 ? 4 : 15;
        made &= body_make_pieces(&bodies[i], &both.a.ground, BODY_FOREIGN, count,
                                 i % 3 == 0 ? 20 : 300, i);
    }
    return made;
}

static void drop_bodies(void)
{
    for (size_t i = 0; i < MESSAGES; i++)
        body_drop(&bodies[i]);
}

/* Sends and receives everything; refusals are tried again, at most |refused_max| in all. Returns
 * how many refusals there were, or -1 when anything else went wrong. */
static int carry_all(int refused_max)
{
    struct slice held[MESSAGES];
    struct parcel got;
    int refused = 0;
    memset(held, 0, sizeof(held));
    for (size_t i = 0; i < MESSAGES && refused <= refused_max;) {
        const struct parcel out = body_parcel(&bodies[i], i);
        const enum shm_result result = shm_pair_send(both.a.pair, &out);
        if (result == SHM_OK)
            i++;
        else if (result == SHM_NO_MEMORY)
            refused++;
        else
            return -1;
    }
    for (size_t i = 0; i < MESSAGES && refused <= refused_max;) {
        const enum shm_result result = shm_pair_receive(both.b.pair, &got);
        if (result == SHM_NO_MEMORY) {
            refused++;
            continue;
        }
        if (result != SHM_OK || !parcel_is(&got, i, bodies[i].length) || got.sequence != i)
            return -1;
        if (got.piece_count > 0)
            held[i] = slice_hold(got.pieces[0]);
        shm_pair_taken(both.b.pair);
        i++;
    }
    for (size_t i = 0; i < MESSAGES; i++)
        slice_drop(&held[i]);
    return refused;
}

/* Gives back what is borrowed, though memory may be short at first. */
static bool comes_back(void)
{
    for (int i = 0; i < 4; i++) {
        shm_pair_release(both.b.pair);
        shm_pair_collect(both.a.pair);
    }
    return shm_pair_lent_bytes(both.a.pair) == 0;
}

static void test_allocations(void)
{
    enum { ALLOCATIONS_MAX = 300 };
    int failed = 0, refused = 0;
    for (uint64_t nth = 1; nth < ALLOCATIONS_MAX; nth++) {
        mem_fail_at(nth, 0);
        const bool is_open = pair_pair_open(&both, 8);
        refused += !is_open;
        if (is_open) {
            const uint64_t live = buf_live_count();
            make_bodies();
            const int result = carry_all(100);
            failed += result < 0 || !comes_back() || buf_live_count() != live;
            refused += result > 0;
            drop_bodies();
        }
        mem_fail_at(0, 0);
        pair_pair_close(&both);
        failed += is_open && (!both.a.ground.is_gone || !both.b.ground.is_gone);
    }
    OK(refused > 50 && refused < ALLOCATIONS_MAX - 1, "each allocation was made to fail");
    printf("# %d refusals\n", refused);
    EQUAL(failed, 0, "what is refused goes the next time, nothing is lost");
}

static void test_populate(void)
{
    int failed = 0;
    for (uint64_t nth = 1; nth < 40; nth++)
        for (int side = 0; side < 2; side++) {
            pair_pair_open(&both, 8);
            make_bodies();
            (side ? &both.b : &both.a)->ground.populate_fail_at = nth;
            failed += carry_all(100) < 0 || !comes_back();
            drop_bodies();
            pair_pair_close(&both);
            failed += !both.a.ground.is_gone || !both.b.ground.is_gone;
        }
    EQUAL(failed, 0, "a page that is not there is a refusal at most");
}

/* The reader has no memory for a RELEASE: later it has, and everything goes back. */
static void test_release_without_memory(void)
{
    struct parcel got;
    struct made_body body;
    int failed = 0;
    pair_pair_open(&both, 8);
    both.b.ground.populate_fail_always = true;
    const struct parcel tiny = {.bytes = (const uint8_t *)"x", .length = 1};
    while (shm_pair_send(both.b.pair, &tiny) == SHM_OK)
        continue;
    for (uint64_t i = 0; i < 100; i++) {
        body_make_pieces(&body, &both.a.ground, BODY_FOREIGN, 1, 2000, i);
        const struct parcel out = body_parcel(&body, i);
        failed += shm_pair_send(both.a.pair, &out) != SHM_OK;
        body_drop(&body);
        failed += shm_pair_receive(both.b.pair, &got) != SHM_OK || !parcel_is(&got, i, 2000);
        shm_pair_taken(both.b.pair);
    }
    EQUAL(failed, 0, "messages go on");
    EQUAL(shm_pair_release(both.b.pair), SHM_NO_MEMORY, "there is no room to give back");
    EQUAL(shm_pair_lent_bytes(both.a.pair), 200000, "all of it is lent");
    both.b.ground.populate_fail_always = false;
    EQUAL(shm_pair_release(both.b.pair), SHM_OK, "then there is");
    while (shm_pair_receive(both.a.pair, &got) == SHM_OK)
        shm_pair_taken(both.a.pair);
    EQUAL(shm_pair_lent_bytes(both.a.pair), 0, "and all of it came back");
    pair_pair_close(&both);
}

/* A sender at its limit: what comes back lets it go on. */
static void test_limit(void)
{
    struct made_body body;
    struct parcel got;
    uint64_t sent = 0, received = 0;
    pair_pair_open_limited(&both, 10, 2 * SHM_AREA_BYTES);
    body_make_pieces(&body, &both.a.ground, BODY_FOREIGN, 1, 60000, 3);
    const struct parcel out = body_parcel(&body, 3);
    while (shm_pair_send(both.a.pair, &out) == SHM_OK)
        sent++;
    OK(sent > 20 && sent < 40, "some messages fill a segment of 2 MiB");
    EQUAL(shm_pair_send(both.a.pair, &out), SHM_NO_MEMORY, "then there is no memory");
    for (uint64_t i = 0; i < 10; i++, received++) {
        OK(shm_pair_receive(both.b.pair, &got) == SHM_OK && parcel_is(&got, 3, 60000), "read");
        shm_pair_taken(both.b.pair);
    }
    shm_pair_release(both.b.pair);
    for (uint64_t i = 0; i < 10; i++)
        EQUAL(shm_pair_send(both.a.pair, &out), SHM_OK, "as many go as came back");
    while (shm_pair_receive(both.b.pair, &got) == SHM_OK) {
        received++;
        shm_pair_taken(both.b.pair);
    }
    EQUAL(received, sent + 10, "none was lost");
    body_drop(&body);
    pair_pair_close(&both);
    OK(both.a.ground.is_gone, "every block came back");
}

int main(void)
{
    TEST(test_allocations);
    TEST(test_populate);
    TEST(test_release_without_memory);
    TEST(test_limit);
    return tap_done();
}
