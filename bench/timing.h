/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every bench program needs and nothing more: the clock, samples with their percentiles, and a
 * processor to run on. Results are lines "name value", which contestants.py reads.
 */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SAMPLES_MAX = 1 << 17 };

struct samples {
    int count;
    float us[SAMPLES_MAX];
};

static inline int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void sleep_us(long us)
{
    const struct timespec time = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&time, NULL);
}

/* Those beyond the last are not kept. */
static inline void samples_add(struct samples *samples, double us)
{
    if (samples->count < SAMPLES_MAX)
        samples->us[samples->count++] = (float)us;
}

static inline int float_order(const void *left, const void *right)
{
    const float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

static inline void samples_print(struct samples *samples)
{
    if (samples->count == 0)
        return;
    qsort(samples->us, (size_t)samples->count, sizeof(samples->us[0]), float_order);
    printf("p50_us %.4f\n", (double)samples->us[samples->count / 2]);
    printf("p99_us %.4f\n", (double)samples->us[(int)(samples->count * 0.99)]);
}

/* Onto the |number|th processor of those allowed, counted round. */
static inline void pin_to(int number)
{
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0 || CPU_COUNT(&allowed) == 0)
        return;
    number %= CPU_COUNT(&allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && number-- == 0) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            sched_setaffinity(0, sizeof(one), &one);
            return;
        }
}

#endif
