/* SPDX-License-Identifier: BSD-3-Clause */
/* The allocator of a segment: sizes, limits, lack of memory, what is given back, how it ends. */
#include "shm/heap.h"

#include "base/mem.h"
#include "base/rng.h"
#include "pair_pair.h"
#include "tap.h"

static struct ground ground;

static uint64_t populated(void)
{
    return shm_heap_stats(ground.heap).populated_bytes;
}

static uint64_t used(void)
{
    return shm_heap_stats(ground.heap).used_bytes;
}

static void open_ground(size_t areas)
{
    if (!ground_open(&ground, areas, (uint64_t)areas * SHM_AREA_BYTES))
        printf("Bail out! no memory\n");
}

static void test_sizes(void)
{
    static const size_t wanted[] = {0,     1,     255,   256,    257,    1024,   1025,   4096,
                                    4097,  16384, 16385, 65536,  65537,  262144, 262145, 1048576,
                                    1048577, 100000000};
    static const size_t given[] = {256,   256,   256,    256,    1024,    1024,    4096, 4096,
                                   16384, 16384, 65536,  65536,  262144,  262144,  1048576, 1048576,
                                   1048576, 1048576};
    struct buf *bufs[ARRAY_LEN(wanted)];
    open_ground(16);
    uint64_t sum = 0;
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        bufs[i] = shm_heap_get(ground.heap, wanted[i]);
        OK(bufs[i] && bufs[i]->capacity == given[i] && bufs[i]->references == 1,
           "the smallest size that holds what is wanted");
        OK(ground_holds(&ground, bufs[i]), "has memory");
        OK(shm_heap_contains(ground.heap, bufs[i]->data), "lies in the segment");
        const uint64_t offset = shm_heap_offset(shm_heap_base(ground.heap), bufs[i]->data);
        EQUAL(offset % MIN_OF(given[i], 4096), 0, "aligned to its size");
        OK(offset >= GROUND_RESERVED_BYTES, "what is reserved is left alone");
        memset(bufs[i]->data, (int)i, bufs[i]->capacity);
        sum += given[i];
    }
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        OK(bufs[i]->data[0] == i && bufs[i]->data[bufs[i]->capacity - 1] == i, "nobody else's");
        EQUAL(used(), sum, "what is given out is counted");
        sum -= bufs[i]->capacity;
        buf_drop(bufs[i]);
    }
    EQUAL(used(), 0, "and what came back");
    OK(!shm_heap_contains(ground.heap, &ground) && !shm_heap_contains(ground.heap, NULL) &&
           !shm_heap_contains(ground.heap, ground.base + ground.size_bytes),
       "elsewhere is elsewhere");
    ground_close(&ground);
    OK(ground.is_gone, "gone");
}

static void test_idle_is_small(void)
{
    open_ground(16);
    EQUAL(populated(), GROUND_RESERVED_BYTES, "at first the header only");
    struct buf *small = shm_heap_get(ground.heap, 100);
    struct buf *other = shm_heap_get(ground.heap, 1000);
    OK(populated() <= 16384, "two small blocks cost two pages");
    struct buf *large = shm_heap_get(ground.heap, 65536);
    OK(populated() <= 16384 + 65536, "a large one costs itself");
    buf_drop(small);
    buf_drop(other);
    buf_drop(large);
    ground_close(&ground);
}

static void test_warm_first(void)
{
    open_ground(16);
    struct buf *first = shm_heap_get(ground.heap, 4096);
    struct buf *second = shm_heap_get(ground.heap, 4096);
    const uint64_t calls = ground.populate_calls;
    buf_drop(first);
    buf_drop(second);
    OK(shm_heap_get(ground.heap, 4000) == second, "what was freed last comes first");
    OK(shm_heap_get(ground.heap, 4000) == first, "then the one before");
    EQUAL(ground.populate_calls, calls, "without asking for memory");
    buf_drop(first);
    buf_drop(second);
    struct buf *large = shm_heap_get(ground.heap, 1 << 20);
    const uint64_t held = populated();
    buf_drop(large);
    struct buf *other = shm_heap_get(ground.heap, 1 << 18);
    EQUAL(populated(), held, "another size takes over an empty area with its memory");
    buf_drop(other);
    ground_close(&ground);
}

static void test_few_calls(void)
{
    static struct buf *bufs[40000];
    open_ground(16);
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
        bufs[i] = shm_heap_get(ground.heap, 256);
    OK(bufs[ARRAY_LEN(bufs) - 1] != NULL, "forty thousand small blocks");
    OK(ground.populate_calls < 300, "are populated many at a time");
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
        buf_drop(bufs[i]);
    EQUAL(used(), 0, "all came back");
    ground_close(&ground);
    OK(ground.is_gone, "gone");
}

static void test_limit(void)
{
    struct buf *bufs[20];
    size_t count = 0;
    ground_open(&ground, 16, 3 * SHM_AREA_BYTES);
    while (count < ARRAY_LEN(bufs) && (bufs[count] = shm_heap_get(ground.heap, 1 << 20)) != NULL)
        count++;
    EQUAL(count, 2, "no more than the limit, of which the header is part");
    struct buf *small[4000];
    size_t smalls = 0;
    while (smalls < ARRAY_LEN(small) && (small[smalls] = shm_heap_get(ground.heap, 1000)) != NULL)
        smalls++;
    OK(smalls > 900 && smalls <= 1020, "smaller ones still fit");
    OK(populated() <= 3 * SHM_AREA_BYTES, "the limit holds");
    for (size_t i = 0; i < count; i++)
        buf_drop(bufs[i]);
    struct buf *again = shm_heap_get(ground.heap, 1 << 18);
    OK(again, "what is free serves another size at the limit");
    buf_drop(again);
    for (size_t i = 0; i < smalls; i++)
        buf_drop(small[i]);
    again = shm_heap_get(ground.heap, 1 << 20);
    struct buf *more = shm_heap_get(ground.heap, 1 << 20);
    OK(again && more, "free small blocks give way to large ones");
    buf_drop(again);
    buf_drop(more);
    ground_close(&ground);
    OK(ground.is_gone, "gone");
}

/* Every area has a size and there is no other: larger blocks serve. */
static void test_areas_run_out(void)
{
    open_ground(3);
    struct buf *large[2] = {shm_heap_get(ground.heap, 65536), shm_heap_get(ground.heap, 65536)};
    struct buf *middle = shm_heap_get(ground.heap, 16384);
    struct buf *largest = shm_heap_get(ground.heap, 1 << 20);
    OK(large[0] && large[1] && middle && largest, "three sizes in three areas");
    struct buf *small = shm_heap_get(ground.heap, 100);
    OK(small && small->capacity == 16384, "a larger block rather than none");
    OK(!shm_heap_get(ground.heap, 1 << 18), "never a smaller one");
    buf_drop(small);
    buf_drop(middle);
    small = shm_heap_get(ground.heap, 100);
    EQUAL(small->capacity, 256, "an area that became empty changes its size");
    buf_drop(small);
    buf_drop(large[0]);
    buf_drop(large[1]);
    buf_drop(largest);
    ground_close(&ground);
}

static void test_one_area(void)
{
    struct buf *bufs[20];
    size_t count = 0;
    open_ground(1);
    OK(!shm_heap_get(ground.heap, 1 << 20), "beside the header no block of the whole area");
    while (count < ARRAY_LEN(bufs) && (bufs[count] = shm_heap_get(ground.heap, 65536)) != NULL)
        count++;
    EQUAL(count, 15, "the others fit beside it");
    for (size_t i = 0; i < count; i++)
        buf_drop(bufs[i]);
    ground_close(&ground);
}

/* Some blocks of all sizes, with the |nth| call of |populate| failing. */
static size_t get_some(struct buf **bufs, size_t count)
{
    size_t got = 0;
    for (size_t i = 0; i < count; i++) {
        bufs[i] = shm_heap_get(ground.heap, (size_t)200 << (i * 5 % 13));
        if (bufs[i])
            got++;
        if (bufs[i] && !ground_holds(&ground, bufs[i]))
            return 0;
    }
    return got;
}

static void drop_all(struct buf **bufs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_drop(bufs[i]);
}

static void test_populate_fails(void)
{
    struct buf *bufs[60];
    int failed = 0;
    uint64_t calls = 1;
    for (uint64_t nth = 1; nth <= calls; nth++) {
        open_ground(32);
        ground.populate_fail_at = nth;
        const size_t got = get_some(bufs, ARRAY_LEN(bufs));
        calls = MAX_OF(calls, ground.populate_calls);
        failed += got + 1 < ARRAY_LEN(bufs);
        drop_all(bufs, ARRAY_LEN(bufs));
        failed += used() != 0;
        ground_close(&ground);
        failed += !ground.is_gone;
    }
    OK(calls > 10, "each call was made to fail");
    EQUAL(failed, 0, "at most one block is refused for it, none is without memory");
    open_ground(8);
    struct buf *first = shm_heap_get(ground.heap, 1 << 18);
    ground.populate_fail_always = true;
    OK(!shm_heap_get(ground.heap, 1 << 18), "without memory no block");
    buf_drop(first);
    first = shm_heap_get(ground.heap, 1 << 18);
    OK(first, "what is populated serves on");
    ground.populate_fail_always = false;
    struct buf *second = shm_heap_get(ground.heap, 1 << 18);
    OK(second, "and when there is memory again");
    buf_drop(first);
    buf_drop(second);
    ground_close(&ground);
}

static void test_memory_fails(void)
{
    struct buf *bufs[60];
    int failed = 0;
    uint64_t nth = 1;
    for (bool was_hit = true; was_hit; nth++) {
        mem_fail_at(nth, 0);
        const bool is_open = ground_open(&ground, 32, 32 * SHM_AREA_BYTES);
        const size_t got = is_open ? get_some(bufs, ARRAY_LEN(bufs)) : 0;
        was_hit = !is_open || got < ARRAY_LEN(bufs);
        mem_fail_at(0, 0);
        if (is_open) {
            failed += got == 0;
            drop_all(bufs, ARRAY_LEN(bufs));
            failed += used() != 0;
            failed += get_some(bufs, ARRAY_LEN(bufs)) < ARRAY_LEN(bufs);
            drop_all(bufs, ARRAY_LEN(bufs));
        }
        ground_close(&ground);
        failed += is_open && !ground.is_gone;
    }
    OK(nth > 5, "each allocation was made to fail");
    EQUAL(failed, 0, "it is no memory, and nothing else");
}

/* Calls of trim until it says that there is nothing more to come; how many, or -1. */
static int trim_out(void)
{
    for (int i = 1; i < 20; i++)
        if (!shm_heap_trim(ground.heap))
            return i;
    return -1;
}

static void test_trim(void)
{
    struct buf *bufs[30];
    open_ground(32);
    OK(!shm_heap_trim(ground.heap), "nothing to give back");
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
        bufs[i] = shm_heap_get(ground.heap, 1 << 20);
    EQUAL(populated(), 30 * SHM_AREA_BYTES + GROUND_RESERVED_BYTES, "thirty megabytes");
    OK(!shm_heap_trim(ground.heap), "what is in use stays");
    drop_all(bufs, ARRAY_LEN(bufs));
    OK(shm_heap_trim(ground.heap), "just freed: it may be used again");
    OK(shm_heap_trim(ground.heap), "still");
    EQUAL(ground.discard_calls, 0, "nothing was discarded");
    OK(!shm_heap_trim(ground.heap), "the third time all of it goes");
    OK(populated() <= SHM_TRIM_KEEP_BYTES + GROUND_RESERVED_BYTES, "but what is always kept");
    const uint64_t discards = ground.discard_calls;
    OK(!shm_heap_trim(ground.heap), "then there is nothing more");
    EQUAL(ground.discard_calls, discards, "and nothing happens");
    for (size_t i = 0; i < ARRAY_LEN(bufs); i++) {
        bufs[i] = shm_heap_get(ground.heap, 1 << 20);
        OK(bufs[i] && ground_holds(&ground, bufs[i]), "what was discarded is populated again");
    }
    drop_all(bufs, ARRAY_LEN(bufs));
    ground_close(&ground);
}

static void test_trim_of_used_again(void)
{
    open_ground(32);
    for (int round = 0; round < 10; round++) {
        struct buf *bufs[20];
        for (size_t i = 0; i < ARRAY_LEN(bufs); i++)
            bufs[i] = shm_heap_get(ground.heap, 1 << 18);
        drop_all(bufs, ARRAY_LEN(bufs));
        OK(shm_heap_trim(ground.heap), "what is used between the calls");
    }
    EQUAL(ground.discard_calls, 0, "is never discarded");
    ground_close(&ground);
}

/* A straggler in each area keeps its page, or itself, and no more. */
static void test_trim_around_stragglers(size_t block, uint64_t kept_each)
{
    enum { BURST = 8 * 1024 * 1024 };
    static struct buf *bufs[BURST / 256];
    const size_t count = BURST / block;
    open_ground(32);
    for (size_t i = 0; i < count; i++)
        bufs[i] = shm_heap_get(ground.heap, block);
    uint64_t stragglers = 0;
    const size_t per_area = SHM_AREA_BYTES / block;
    for (size_t i = 0; i < count; i++) {
        if (i % per_area == per_area / 2)
            stragglers++, memset(bufs[i]->data, 0x5a, block);
        else
            buf_drop(bufs[i]), bufs[i] = NULL;
    }
    OK(shm_heap_trim(ground.heap) && shm_heap_trim(ground.heap), "more would go later");
    EQUAL(ground.discard_calls, 0, "nothing goes that was free a moment ago");
    /* One free block of each area is used once more, and its page with it. */
    for (size_t i = per_area - 1; i < count; i += per_area) {
        bufs[i] = shm_heap_get(ground.heap, block);
        CHECK(bufs[i]);
    }
    for (size_t i = per_area - 1; i < count; i += per_area) {
        buf_drop(bufs[i]);
        bufs[i] = NULL;
    }
    const uint64_t before = populated();
    const uint64_t calls = ground.populate_calls;
    shm_heap_trim(ground.heap);
    OK(populated() < before, "the rest goes");
    buf_drop(shm_heap_get(ground.heap, block));
    EQUAL(ground.populate_calls, calls, "the block used last is still there");
    OK(trim_out() > 0, "trimming comes to an end");
    OK(populated() <= SHM_TRIM_KEEP_BYTES + GROUND_RESERVED_BYTES + stragglers * kept_each,
       "stragglers do not keep their areas");
    int failed = 0;
    for (size_t i = 0; i < count; i++)
        if (bufs[i])
            failed += bufs[i]->data[0] != 0x5a || bufs[i]->data[block - 1] != 0x5a;
    EQUAL(failed, 0, "and are not touched");
    for (size_t i = 0; i < count; i++)
        if (!bufs[i]) {
            bufs[i] = shm_heap_get(ground.heap, block);
            failed += !bufs[i] || !ground_holds(&ground, bufs[i]);
        }
    EQUAL(failed, 0, "the blocks beside them serve again");
    EQUAL(used(), BURST, "each once");
    drop_all(bufs, count);
    EQUAL(used(), 0, "all came back");
    ground_close(&ground);
    OK(ground.is_gone, "gone");
}

static void test_trim_burst(void)
{
    test_trim_around_stragglers(256, 4096);
    test_trim_around_stragglers(1024, 4096);
    test_trim_around_stragglers(4096, 4096);
    test_trim_around_stragglers(65536, 65536);
}

static void test_close(void)
{
    open_ground(4);
    struct buf *first = shm_heap_get(ground.heap, 5000);
    struct buf *second = shm_heap_get(ground.heap, 10);
    shm_heap_close(ground.heap);
    OK(!ground.is_gone, "buffers keep the segment");
    OK(!shm_heap_get(ground.heap, 10), "nothing more is given out");
    memset(first->data, 1, first->capacity);
    buf_hold(second);
    buf_drop(second);
    buf_drop(first);
    OK(!ground.is_gone, "the last but one");
    buf_drop(second);
    OK(ground.is_gone, "the last one lets it go");
    ground.heap = NULL;
    ground_close(&ground);
}

/* Any order of getting, dropping, trimming, with failures: nobody gets what another has. */
static void test_at_random(void)
{
    enum { HELD = 400, STEPS = 60000 };
    static struct buf *bufs[HELD];
    struct rng rng;
    int failed = 0;
    rng_seed(&rng, 17);
    memset(bufs, 0, sizeof(bufs));
    ground_open(&ground, 24, 12 * SHM_AREA_BYTES);
    for (int step = 0; step < STEPS; step++) {
        const size_t i = (size_t)rng_below(&rng, HELD);
        ground.populate_fail_always = rng_below(&rng, 10) == 0;
        if (rng_below(&rng, 200) == 0)
            shm_heap_trim(ground.heap);
        if (bufs[i]) {
            failed += bufs[i]->data[0] != (uint8_t)i ||
                      bufs[i]->data[bufs[i]->capacity - 1] != (uint8_t)i;
            buf_drop(bufs[i]);
            bufs[i] = NULL;
        } else {
            /* Small ones mostly, as programs do; now and then only few are held. */
            const uint64_t wanted = rng_below(&rng, UINT64_C(1) << rng_below(&rng, 21));
            if (step / 10000 % 2 == 0 || i <= 40)
                bufs[i] = shm_heap_get(ground.heap, (size_t)wanted);
            if (bufs[i]) {
                failed += !ground_holds(&ground, bufs[i]);
                bufs[i]->data[0] = bufs[i]->data[bufs[i]->capacity - 1] = (uint8_t)i;
            }
        }
        failed += populated() > 12 * SHM_AREA_BYTES;
    }
    EQUAL(failed, 0, "sixty thousand steps");
    drop_all(bufs, HELD);
    EQUAL(used(), 0, "all came back");
    ground_close(&ground);
    OK(ground.is_gone, "gone");
}

int main(void)
{
    TEST(test_sizes);
    TEST(test_idle_is_small);
    TEST(test_warm_first);
    TEST(test_few_calls);
    TEST(test_limit);
    TEST(test_areas_run_out);
    TEST(test_one_area);
    TEST(test_populate_fails);
    TEST(test_memory_fails);
    TEST(test_trim);
    TEST(test_trim_of_used_again);
    TEST(test_trim_burst);
    TEST(test_close);
    TEST(test_at_random);
    return tap_done();
}
