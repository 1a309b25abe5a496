/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * For tests that need a running loop: until(loop, condition) runs it until the condition holds or
 * ten seconds have passed. And a private directory that is gone afterwards.
 */
#ifndef TESTS_UNIT_OS_UNTIL_H
#define TESTS_UNIT_OS_UNTIL_H

#include "os/clock.h"
#include "os/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct until {
    struct loop *loop;
    bool (*holds)(void *context);
    void *context;
    uint64_t limit_ns;
    bool held;
};

static inline bool until_check(void *context)
{
    struct until *until = context;
    until->held = until->holds(until->context);
    if (until->held || clock_now_ns() >= until->limit_ns)
        loop_stop(until->loop);
    return false;
}

static inline void until_timer(void *context)
{
    (void)context;
}

/* True when |holds| came true in time. */
static inline bool until(struct loop *loop, bool (*holds)(void *context), void *context)
{
    struct until until = {.loop = loop,
                          .holds = holds,
                          .context = context,
                          .limit_ns = clock_now_ns() + UINT64_C(10000000000)};
    struct loop_timer *timer = loop_timer_open(loop, until_timer, NULL);
    loop_timer_set(timer, until.limit_ns);
    loop_before_sleep(loop, until_check, &until);
    loop_run(loop);
    loop_before_sleep(loop, NULL, NULL);
    loop_timer_close(timer);
    return until.held;
}

static inline char *private_directory(void)
{
    static char path[64];
    snprintf(path, sizeof(path), "/tmp/pvm-unit-XXXXXX");
    return mkdtemp(path);
}

static inline int remove_tree(const char *path)
{
    char command[256];
    snprintf(command, sizeof(command), "rm -rf -- '%s'", path);
    return system(command);
}

#endif
