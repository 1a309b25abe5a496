/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clock of one simulated machine: it began at a moment of its own and may run fast or slow, so
 * that no daemon can get away with comparing its time with another's. Pure arithmetic.
 */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include <stdint.h>

enum { SIM_CLOCK_MILLION = 1000000, SIM_CLOCK_DRIFT_PPM_MAX = 100000 };

struct sim_clock {
    uint64_t world_ns;  /* at this moment of the world ... */
    uint64_t local_ns;  /* ... it showed this */
    int64_t drift_ppm;  /* and since then it runs so much fast; negative = slow */
};

/* What it shows at |world_ns|, which is not before clock->world_ns. */
static inline uint64_t sim_clock_local(const struct sim_clock *clock, uint64_t world_ns)
{
    const uint64_t passed_ns = world_ns - clock->world_ns;
    const uint64_t rate = (uint64_t)(SIM_CLOCK_MILLION + clock->drift_ppm);
    return clock->local_ns + passed_ns / SIM_CLOCK_MILLION * rate +
           passed_ns % SIM_CLOCK_MILLION * rate / SIM_CLOCK_MILLION;
}

/* The first moment of the world at which it shows |local_ns| or more. */
static inline uint64_t sim_clock_world(const struct sim_clock *clock, uint64_t local_ns)
{
    const uint64_t rate = (uint64_t)(SIM_CLOCK_MILLION + clock->drift_ppm);
    if (local_ns <= clock->local_ns)
        return clock->world_ns;
    const uint64_t ahead_ns = local_ns - clock->local_ns;
    uint64_t world_ns = clock->world_ns + ahead_ns / rate * SIM_CLOCK_MILLION +
                        ahead_ns % rate * SIM_CLOCK_MILLION / rate;
    while (sim_clock_local(clock, world_ns) < local_ns)
        world_ns++;
    return world_ns;
}

/* From |world_ns| on it runs |drift_ppm| fast. */
static inline void sim_clock_drift(struct sim_clock *clock, uint64_t world_ns, int64_t drift_ppm)
{
    clock->local_ns = sim_clock_local(clock, world_ns);
    clock->world_ns = world_ns;
    clock->drift_ppm = drift_ppm;
}

#endif
