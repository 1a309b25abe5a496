/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Seeded generator (xoshiro256**, Blackman and Vigna 2018, seeded by splitmix64) with split
 * streams. For chance in simulations and jitter in timers; never for keys.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t state[4];
};

void rng_seed(struct rng *rng, uint64_t seed);
/* A stream of its own for one purpose: a new draw in one never shifts another. */
void rng_split(const struct rng *parent, uint64_t purpose, struct rng *child);
uint64_t rng_next(struct rng *rng);
/* Uniform in 0..|bound|-1; |bound| 0 gives 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);
/* True with |parts_per_million| chances in a million. */
int rng_chance(struct rng *rng, uint32_t parts_per_million);

#endif
