/* SPDX-License-Identifier: BSD-3-Clause */
/* The clocks: see the header. */
#include "os/clock.h"

#include "base/check.h"
#include "base/str.h"

#include <stdbool.h>
#include <time.h>
#ifdef PLATFORM_LINUX
#include <sys/timerfd.h>
#include <unistd.h>
#endif

#define COARSE_AWAY_NS UINT64_C(500000000)
#define COARSE_STEP_NS UINT64_C(250000000)

static uint64_t clock_read(clockid_t id, uint64_t units_per_s)
{
    struct timespec now;
    CHECK(clock_gettime(id, &now) == 0); /* cannot fail for these two clocks, clock_gettime(2) */
    return (uint64_t)now.tv_sec * units_per_s +
           (uint64_t)now.tv_nsec / (UINT64_C(1000000000) / units_per_s);
}

/* One clock for reading and for timers, so that a timer that fired is never early by the other. */
static clockid_t clock_choose(void)
{
#ifdef PLATFORM_LINUX
    struct timespec now;
    int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);
    if (fd >= 0) {
        close(fd);
        if (clock_gettime(CLOCK_BOOTTIME, &now) == 0)
            return CLOCK_BOOTTIME;
    }
#endif
    return CLOCK_MONOTONIC;
}

int clock_id(void)
{
    static clockid_t chosen;
    static bool is_chosen;
    if (!is_chosen) {
        chosen = clock_choose();
        is_chosen = true;
    }
    return (int)chosen;
}

uint64_t clock_now_ns(void)
{
    return clock_read((clockid_t)clock_id(), UINT64_C(1000000000));
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
