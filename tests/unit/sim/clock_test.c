/* SPDX-License-Identifier: BSD-3-Clause */
/* Tests of sim/clock.h: there and back, fast and slow, over days. */
#include "sim/clock.h"

#include "base/rng.h"
#include "tap.h"

enum { ROUNDS = 20000 };

static void test_there_and_back(void)
{
    struct rng rng;
    rng_seed(&rng, 1);
    int early = 0, late = 0, back = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct sim_clock clock = {
            .world_ns = rng_below(&rng, UINT64_C(1) << 45),
            .local_ns = rng_below(&rng, UINT64_C(1) << 50),
            .drift_ppm = (int64_t)rng_below(&rng, 2 * SIM_CLOCK_DRIFT_PPM_MAX + 1) -
                         SIM_CLOCK_DRIFT_PPM_MAX,
        };
        const uint64_t local_ns = clock.local_ns + rng_below(&rng, UINT64_C(1) << 48);
        const uint64_t world_ns = sim_clock_world(&clock, local_ns);
        early += sim_clock_local(&clock, world_ns) < local_ns;
        late += world_ns > clock.world_ns && sim_clock_local(&clock, world_ns - 1) >= local_ns + 2;
        back += sim_clock_local(&clock, world_ns + 1) < sim_clock_local(&clock, world_ns);
    }
    EQUAL(early, 0, "a moment asked for has come when it is said to have");
    EQUAL(late, 0, "and not long before");
    EQUAL(back, 0, "no clock goes back");
}

static void test_rate(void)
{
    struct sim_clock clock = {.world_ns = 1000, .local_ns = 5000, .drift_ppm = 1000};
    EQUAL(sim_clock_local(&clock, 1000 + 1000000000), 5000 + 1001000000, "one in a thousand fast");
    sim_clock_drift(&clock, 1000 + 1000000000, -1000);
    EQUAL(sim_clock_local(&clock, 1000 + 2000000000), 5000 + 1001000000 + 999000000,
          "then slow, from there");
    EQUAL(sim_clock_world(&clock, 0), 1000 + 1000000000, "what is long past is now");
}

int main(void)
{
    TEST(test_there_and_back);
    TEST(test_rate);
    return tap_done();
}
