/* SPDX-License-Identifier: BSD-3-Clause */
/* Times that are rounded so that what is due at about the same time wakes a process once. */
#include "os/clock.h"

#include "tap.h"

#include <time.h>

#define MS UINT64_C(1000000)

static void test_coarse(void)
{
    const uint64_t now_ns = clock_now_ns();
    EQUAL(clock_coarse_ns(now_ns + 100 * MS), now_ns + 100 * MS, "what is due soon is due then");
    EQUAL(clock_coarse_ns(1), 1, "so is what was due long ago");
    OK(clock_coarse_ns(UINT64_MAX) == UINT64_MAX, "never stays never");
    const uint64_t far_ns = now_ns + 3000 * MS, at_ns = clock_coarse_ns(far_ns);
    OK(at_ns >= far_ns && at_ns < far_ns + 250 * MS, "what is far may come a little later");
    const uint64_t start_ns = at_ns - 249 * MS; /* all of one step, this machine over */
    OK(clock_coarse_ns(start_ns) == at_ns && clock_coarse_ns(at_ns - 1) == at_ns &&
           clock_coarse_ns(at_ns) == at_ns && clock_coarse_ns(at_ns + 1) == at_ns + 250 * MS,
       "together with what is due at about the same time");
}

/* A timer of the system and the clock that is read must be the same one. */
static void test_clock(void)
{
    struct timespec now;
    uint64_t before_ns = clock_now_ns();
    EQUAL(clock_gettime((clockid_t)clock_id(), &now), 0, "the clock behind it can be read");
    uint64_t read_ns = (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
    OK(before_ns <= read_ns && read_ns <= clock_now_ns(), "and is the same");
#ifdef PLATFORM_LINUX
    EQUAL(clock_id(), (int)CLOCK_BOOTTIME, "it goes on while the machine sleeps");
#endif
}

int main(void)
{
    TEST(test_clock);
    TEST(test_coarse);
    return tap_done();
}
