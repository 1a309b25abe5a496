/* SPDX-License-Identifier: BSD-3-Clause */
/* The clocks: see the header. */
#include "os/clock.h"

#include "base/check.h"
#include "base/str.h"

#include <time.h>

#define COARSE_AWAY_NS UINT64_C(500000000)
#define COARSE_STEP_NS UINT64_C(250000000)

static uint64_t clock_read(clockid_t id, uint64_t units_per_s)
{
    struct timespec now;
    CHECK(clock_gettime(id, &now) == 0); /* cannot fail for these two clocks, clock_gettime(2) */
    return (uint64_t)now.tv_sec * units_per_s +
           (uint64_t)now.tv_nsec / (UINT64_C(1000000000) / units_per_s);
}

uint64_t clock_now_ns(void)
{
    return clock_read(CLOCK_MONOTONIC, UINT64_C(1000000000));
}

uint64_t clock_coarse_ns(uint64_t at_ns)
{
    if (at_ns > UINT64_MAX - COARSE_STEP_NS || at_ns < clock_now_ns() + COARSE_AWAY_NS)
        return at_ns;
    return (at_ns + COARSE_STEP_NS - 1) / COARSE_STEP_NS * COARSE_STEP_NS;
}

uint64_t clock_wall_us(void)
{
    return clock_read(CLOCK_REALTIME, 1000000);
}

void clock_stamp(char *text, size_t size_bytes)
{
    time_t now = time(NULL);
    struct tm parts;
    if (!localtime_r(&now, &parts) || strftime(text, size_bytes, "%m/%d %H:%M:%S", &parts) == 0)
        str_copy(text, size_bytes, "--/-- --:--:--");
}
