/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop: fine timers, descriptors with errors, signals, resolving of names. */
#include "os/loop.h"

#include "os/resolve.h"
#include "tap.h"
#include "until.h"

#include <signal.h>
#include <sys/socket.h>

#define MS UINT64_C(1000000)

static struct loop *loop;
static int fired, resolved;
static size_t resolved_count;
static char resolve_error[128];

static void count_up(void *context)
{
    (void)context;
    fired++;
}

static bool has_fired(void *context)
{
    (void)context;
    return fired > 0;
}

static void test_timer(void)
{
    struct loop_timer *timer = loop_timer_open(loop, count_up, NULL);
    uint64_t begin_ns = clock_now_ns();
    fired = 0;
    loop_timer_set(timer, UINT64_MAX);
    loop_timer_set(timer, begin_ns + 200000);
    OK(until(loop, has_fired, NULL), "a timer fires");
    uint64_t took_ns = clock_now_ns() - begin_ns;
    OK(took_ns >= 200000, "not before its time");
    OK(took_ns < 1000000000, "and not much later");
    fired = 0;
    loop_timer_set(timer, 0);
    OK(until(loop, has_fired, NULL), "a time in the past fires at once");
    loop_timer_close(timer);
}

static void test_put_off(void)
{
    struct loop_timer *timer = loop_timer_open(loop, count_up, NULL);
    uint64_t begin_ns = clock_now_ns();
    fired = 0;
    loop_timer_set(timer, begin_ns + 20 * MS);
    loop_timer_set(timer, begin_ns + 150 * MS);
    OK(until(loop, has_fired, NULL), "a timer that is put off fires");
    EQUAL(fired, 1, "once");
    OK(clock_now_ns() >= begin_ns + 150 * MS, "at its new time");
    fired = 0;
    begin_ns = clock_now_ns();
    loop_timer_set(timer, begin_ns + 20 * MS);
    loop_timer_set(timer, UINT64_MAX);
    loop_timer_set(timer, begin_ns + 60 * MS);
    OK(until(loop, has_fired, NULL) && clock_now_ns() >= begin_ns + 60 * MS,
       "so does one that was called off in between");
    loop_timer_close(timer);
    struct loop_timer *busy = loop_timer_open(loop, count_up, NULL);
    fired = 0;
    begin_ns = clock_now_ns();
    for (uint64_t i = 0; i < 1000; i++)
        loop_timer_set(busy, begin_ns + (30 + i) * MS);
    OK(until(loop, has_fired, NULL) && clock_now_ns() < begin_ns + 1030 * MS,
       "one that is put off all the time may fire early: that costs less than the calls");
    loop_timer_close(busy);
}

static struct loop_watch *watch;

static void close_self(void *context, int events)
{
    (void)events;
    fired++;
    loop_watch_close(watch);
    watch = NULL;
    close(*(int *)context);
}

static void test_watch(void)
{
    int ends[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    watch = loop_watch_open(loop, ends[0], close_self, &ends[0]);
    fired = 0;
    loop_watch_set(watch, LOOP_READABLE);
    OK(write(ends[1], "x", 1) == 1, "something to read");
    OK(until(loop, has_fired, NULL), "is reported, and the callback may close its own watch");
    EQUAL(fired, 1, "once");
    close(ends[1]);
    loop_watch_close(NULL);
}

static void got_signal(void *context, int number)
{
    (void)context;
    fired += number == SIGUSR1;
}

static void test_signal(void)
{
    fired = 0;
    EQUAL(loop_signal(loop, SIGUSR1, got_signal, NULL), 0, "a signal can be watched");
    raise(SIGUSR1);
    OK(until(loop, has_fired, NULL), "and is reported");
}

static void got_addresses(void *context, const struct net_address *addresses, size_t count,
                          const char *error)
{
    (void)context;
    (void)addresses;
    resolved = 1;
    resolved_count = count;
    snprintf(resolve_error, sizeof(resolve_error), "%s", error ? error : "");
}

static bool is_resolved(void *context)
{
    (void)context;
    return resolved;
}

static void test_resolve(void)
{
    resolved = 0;
    EQUAL(resolve_start(loop, "127.0.0.1", got_addresses, NULL), 0, "an address as a name");
    OK(until(loop, is_resolved, NULL) && resolved_count == 1, "is itself");
    resolved = 0;
    EQUAL(resolve_start(loop, "localhost", got_addresses, NULL), 0, "localhost");
    OK(until(loop, is_resolved, NULL) && resolved_count >= 1, "is known");
    resolved = 0;
    EQUAL(resolve_start(loop, "a..b", got_addresses, NULL), 0, "what cannot be a name");
    OK(until(loop, is_resolved, NULL) && resolved_count == 0 && resolve_error[0],
       "is refused with words");
}

int main(void)
{
    loop = loop_create();
    TEST(test_timer);
    TEST(test_put_off);
    TEST(test_watch);
    TEST(test_signal);
    TEST(test_resolve);
    loop_destroy(loop);
    return tap_done();
}
