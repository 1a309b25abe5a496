/* SPDX-License-Identifier: BSD-3-Clause */
/* Seeded chance. */
#include "base/rng.h"

#include "tap.h"

int main(void)
{
    struct rng a;
    struct rng b;
    struct rng c;
    rng_seed(&a, 5);
    rng_seed(&b, 5);
    uint64_t first = rng_next(&a);
    OK(first == rng_next(&b), "the same seed, the same numbers");
    rng_split(&a, 1, &b);
    rng_split(&a, 2, &c);
    OK(rng_next(&b) != rng_next(&c), "streams of their own for each purpose");
    int low = 0;
    int hits = 0;
    for (int i = 0; i < 10000; i++) {
        low += rng_below(&a, 10) < 10;
        hits += rng_chance(&a, 250000);
    }
    EQUAL(low, 10000, "below its bound");
    OK(hits > 2200 && hits < 2800, "a quarter is about a quarter");
    EQUAL(rng_below(&a, 0), 0, "bound 0 gives 0");
    OK(!rng_chance(&a, 0) && rng_chance(&a, 1000000), "never and always");
    return tap_done();
}
