/* SPDX-License-Identifier: BSD-3-Clause */
/* Seeded generator with split streams: see the header. */
#include "base/rng.h"

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void rng_seed(struct rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        rng->state[i] = splitmix64(&seed);
}

void rng_split(const struct rng *parent, uint64_t purpose, struct rng *child)
{
    uint64_t mixed = purpose ^ 0x5851f42d4c957f2du;
    uint64_t seed = parent->state[0] ^ splitmix64(&mixed) ^ (parent->state[3] << 1);
    rng_seed(child, seed);
}

static uint64_t rotate_left(uint64_t value, int bits)
{
    return (value << bits) | (value >> (64 - bits));
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    if (bound == 0)
        return 0;
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t draw;
    do {
        draw = rng_next(rng);
    } while (draw >= limit);
    return draw % bound;
}

int rng_chance(struct rng *rng, uint32_t parts_per_million)
{
    return rng_below(rng, 1000000) < parts_per_million;
}
