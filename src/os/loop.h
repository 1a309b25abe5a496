/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The event loop: descriptors to watch, timers, signals, and one call before each sleep. libuv
 * stands behind it and is seen nowhere else but in resolve.c.
 *
 * Everything runs in one thread. Callbacks may open, change and close anything, themselves
 * included; after a close no callback of that object comes any more.
 */
#ifndef OS_LOOP_H
#define OS_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_watch;
struct loop_timer;

enum { LOOP_READABLE = 1, LOOP_WRITABLE = 2 };

/* NULL when the system gives no loop (errno tells). */
struct loop *loop_create(void);
/* Everything else of the loop must have been closed. */
void loop_destroy(struct loop *loop);
/* Runs until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* |callback| runs before each sleep; true = there is more to do, do not sleep. */
void loop_before_sleep(struct loop *loop, bool (*callback)(void *context), void *context);

/* Watches |fd|, which stays the caller's; nothing is reported before loop_watch_set(). On an error
 * of the descriptor all that was asked for is reported. NULL: cannot be watched (errno). */
struct loop_watch *loop_watch_open(struct loop *loop, int fd,
                                   void (*callback)(void *context, int events), void *context);
/* |events| 0 = silence. Cheap when nothing changes. */
void loop_watch_set(struct loop_watch *watch, int events);
/* To be called before the descriptor is closed. NULL is fine. */
void loop_watch_close(struct loop_watch *watch);

/* A timer as fine as the system has it (timerfd on Linux; else a millisecond). NULL: no memory, no
 * descriptor. */
struct loop_timer *loop_timer_open(struct loop *loop, void (*callback)(void *context),
                                   void *context);
/* Fires once at |at_ns| (os/clock.h); UINT64_MAX = never. One that is put off again and again may
 * fire early, none is late by design: the callback looks at the clock. */
void loop_timer_set(struct loop_timer *timer, uint64_t at_ns);
void loop_timer_close(struct loop_timer *timer);

/* Calls |callback| for each arrival of |number|. 0 or -1. Lives as long as the loop. */
int loop_signal(struct loop *loop, int number, void (*callback)(void *context, int number),
                void *context);

/* The uv_loop_t behind, for os/resolve.c. */
void *loop_native(struct loop *loop);

#endif
