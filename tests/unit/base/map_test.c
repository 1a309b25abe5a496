/* SPDX-License-Identifier: BSD-3-Clause */
/* The hash map, against a plain array. */
#include "base/map.h"

#include "base/mem.h"
#include "base/rng.h"
#include "tap.h"

enum { KEYS = 300, ROUNDS = 20000 };

static int values[KEYS];

static void test_against_array(void)
{
    struct map map;
    struct rng rng;
    int present[KEYS] = {0};
    size_t count = 0;
    int wrong = 0;
    map_init(&map);
    rng_seed(&rng, 7);
    for (int round = 0; round < ROUNDS; round++) {
        size_t key = (size_t)rng_below(&rng, KEYS);
        if (rng_below(&rng, 2)) {
            wrong += map_put2(&map, key * 4096, key % 3, &values[key]) < 0;
            count += !present[key];
            present[key] = 1;
        } else {
            wrong += (map_remove2(&map, key * 4096, key % 3) != NULL) != present[key];
            count -= (size_t)present[key];
            present[key] = 0;
        }
        wrong += map.count != count;
    }
    for (size_t key = 0; key < KEYS; key++)
        wrong += map_get2(&map, key * 4096, key % 3) != (present[key] ? &values[key] : NULL);
    EQUAL(wrong, 0, "the same as an array, through many changes");
    map_fini(&map);
}

static void test_replace_and_order(void)
{
    struct map map;
    map_init(&map);
    OK(!map_get(&map, 1) && !map_remove(&map, 1), "an empty map");
    map_put(&map, 9, &values[0]);
    map_put(&map, 3, &values[1]);
    map_put(&map, 9, &values[2]);
    EQUAL(map.count, 2, "a key once");
    OK(map_get(&map, 9) == &values[2], "with the later value");
    OK(map.entries[0].key == 9 && map.entries[1].key == 3, "in the order they came");
    map_fini(&map);
}

static void test_without_memory(void)
{
    for (uint64_t nth = 1; nth < 4; nth++) {
        struct map map;
        map_init(&map);
        mem_fail_at(nth, 0);
        int result = map_put(&map, 1, &values[0]);
        mem_fail_at(0, 0);
        OK((result == 0) == (map_get(&map, 1) != NULL), "no memory: nothing changed");
        map_fini(&map);
    }
}

int main(void)
{
    TEST(test_against_array);
    TEST(test_replace_and_order);
    TEST(test_without_memory);
    return tap_done();
}
