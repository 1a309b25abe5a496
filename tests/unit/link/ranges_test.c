/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets of ranges against a bitmap, and their promises without memory. */
#include "base/mem.h"
#include "base/rng.h"
#include "link/ranges.h"
#include "tap.h"

enum { SPACE = 300 };

static bool is_same(const struct ranges *set, const bool *bitmap)
{
    for (uint64_t n = 0; n < SPACE; n++) {
        if (ranges_contains(set, n, n + 1) != bitmap[n])
            return false;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        struct range range = ranges_at(set, i);
        if (range.begin >= range.end || (i && ranges_at(set, i - 1).end >= range.begin))
            return false;
    }
    return true;
}

static void against_bitmap(void)
{
    struct rng rng;
    bool good = true;
    rng_seed(&rng, 1);
    for (unsigned run = 0; run < 200; run++) {
        struct ranges set;
        bool bitmap[SPACE] = {false};
        ranges_init(&set);
        for (unsigned i = 0; i < 60; i++) {
            uint64_t begin = rng_below(&rng, SPACE), end = begin + rng_below(&rng, SPACE - begin);
            bool add = rng_chance(&rng, 600000);
            if (add)
                good &= ranges_add(&set, begin, end) == 0;
            else
                good &= ranges_remove(&set, begin, end) == 0;
            for (uint64_t n = begin; n < end; n++)
                bitmap[n] = add;
            good &= is_same(&set, bitmap);
        }
        ranges_fini(&set);
    }
    OK(good, "adding and removing agree with a bitmap");
}

static void edges(void)
{
    struct ranges set;
    ranges_init(&set);
    OK(ranges_is_empty(&set) && !ranges_contains(&set, 0, 1), "empty");
    OK(ranges_contains(&set, 5, 5), "an empty range is in every set");
    ranges_add(&set, 5, 5);
    OK(ranges_is_empty(&set), "an empty range adds nothing");
    ranges_add(&set, 10, 20);
    ranges_add(&set, 20, 30);
    EQUAL(set.count, 1, "ranges that touch are one");
    ranges_add(&set, 40, 50);
    ranges_add(&set, 31, 39);
    EQUAL(set.count, 3, "ranges that do not are not");
    ranges_add(&set, 30, 40);
    EQUAL(set.count, 1, "until the gaps are filled");
    ranges_drop_first(&set);
    OK(ranges_is_empty(&set), "the first can be forgotten");
    ranges_drop_first(&set);
    ranges_fini(&set);
}

static void without_memory(void)
{
    struct ranges set;
    ranges_init(&set);
    mem_fail_at(1, 1);
    EQUAL(ranges_add(&set, 10, 20), 0, "the first range needs no memory");
    EQUAL(ranges_add(&set, 30, 40), -1, "the second does");
    OK(set.count == 1 && ranges_contains(&set, 10, 20), "nothing changed");
    EQUAL(ranges_remove(&set, 12, 14), -1, "nor can one be split");
    ranges_cover(&set, 30, 40);
    OK(ranges_contains(&set, 10, 40), "to cover never fails: the gap goes in too");
    ranges_cover(&set, 2, 4);
    OK(ranges_contains(&set, 2, 40), "on the other side as well");
    mem_fail_at(0, 0);
    ranges_fini(&set);
}

int main(void)
{
    TEST(against_bitmap);
    TEST(edges);
    TEST(without_memory);
    return tap_done();
}
