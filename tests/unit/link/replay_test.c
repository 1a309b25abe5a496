/* SPDX-License-Identifier: BSD-3-Clause */
/* The replay window: each number once, none that is too old. */
#include "base/rng.h"
#include "link/replay.h"
#include "tap.h"

static void in_order(void)
{
    struct replay replay;
    bool good = true;
    replay_init(&replay);
    for (uint64_t n = 0; n < 20000; n++) {
        good &= !replay_was_seen(&replay, n);
        replay_record(&replay, n);
        good &= replay_was_seen(&replay, n);
    }
    OK(good, "new numbers are new, once");
    OK(replay_was_seen(&replay, 0), "what is too old counts as seen");
}

static void window(void)
{
    struct replay replay;
    OK(REPLAY_WINDOW >= 1024, "the window is as large as promised");
    replay_init(&replay);
    replay_record(&replay, 100000);
    OK(!replay_was_seen(&replay, 100000 - REPLAY_WINDOW + 1), "the oldest in the window is new");
    OK(replay_was_seen(&replay, 100000 - REPLAY_WINDOW), "the one before it is too old");
    replay_record(&replay, 100000 - REPLAY_WINDOW + 1);
    OK(replay_was_seen(&replay, 100000 - REPLAY_WINDOW + 1), "then it was seen");
    OK(!replay_was_seen(&replay, 99999), "its neighbours were not");
    replay_record(&replay, (uint64_t)1 << 61);
    OK(replay_was_seen(&replay, 100000), "after a long jump all before is old");
    OK(!replay_was_seen(&replay, ((uint64_t)1 << 61) - 64), "and nothing else is seen");
}

static void reordered(void)
{
    static bool seen[40000];
    struct replay replay;
    struct rng rng;
    bool good = true;
    replay_init(&replay);
    rng_seed(&rng, 3);
    for (uint64_t i = 0; i < 38000; i++) {
        uint64_t n = i + rng_below(&rng, 1000);
        good &= replay_was_seen(&replay, n) == seen[n];
        replay_record(&replay, n);
        seen[n] = true;
    }
    OK(good, "in any order within the window");
}

int main(void)
{
    TEST(in_order);
    TEST(window);
    TEST(reordered);
    return tap_done();
}
