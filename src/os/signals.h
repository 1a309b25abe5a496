/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Signals that a process does not want to hear of. Those it wants: loop_signal() in os/loop.h.
 */
#ifndef OS_SIGNALS_H
#define OS_SIGNALS_H

#include <signal.h>
#include <stddef.h>

static inline void signal_ignore(int number)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(number, &ignore, NULL);
}

/* Until there is somebody to handle them, SIGTERM and SIGINT wait. */
static inline void signals_hold(void)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
}

static inline void signals_release(void)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_UNBLOCK, &ends, NULL);
}

#endif
