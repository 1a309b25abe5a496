/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lock round the library by itself: one inside, one poller, kicks, hand-over, closing, forks,
 * signal handlers that come at any instruction. No daemon; a thread is held up by words, not by
 * time.
 */
#include "libpvm/lock.h"

#include "libpvm/task.h"
#include "tap.h"

#include "pvm3.h"
#include "pvmtev.h"
#include "libpvm/data.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8, TURNS = 20000, LIMIT_MS = 10000 };

static atomic_int step; /* of the story that runs */
static atomic_bool may_go;

static void nap_ms(int ms)
{
    const struct timespec time = {.tv_nsec = ms * 1000000L};
    nanosleep(&time, NULL);
}

/* True when |value| gets to |wanted| in good time. */
static bool comes_to(atomic_int *value, int wanted)
{
    for (int i = 0; i < LIMIT_MS && atomic_load(value) < wanted; i++)
        nap_ms(1);
    return atomic_load(value) == wanted;
}

static void start(pthread_t *threads, int count, void *(*body)(void *))
{
    atomic_store(&step, 0);
    atomic_store(&may_go, false);
    for (int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, body, NULL) != 0)
            abort();
}

static void join(const pthread_t *threads, int count)
{
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static bool is_readable(int fd, int limit_ms)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    return poll(&poller, 1, limit_ms) == 1;
}

/* ---- one thread ---- */

static void alone(void)
{
    struct lock_wait wait;
    lock_enter();
    lock_enter();
    EQUAL(lock_inside.depth, 2, "calls in calls are counted");
    OK(lock_is_nested(), "and known");
#ifdef __GLIBC__
    OK(!lock_inside.is_shared, "without a lock");
#endif
    lock_leave();
    OK(lock_wait_begin(&wait, INT64_MAX, false), "who is alone polls");
    EQUAL(lock_inside.depth, 0, "and is not inside meanwhile: a handler may leave in order");
    lock_enter();
    OK(!lock_is_nested(), "which it does here");
    struct lock_wait inner;
    OK(lock_wait_begin(&inner, INT64_MAX, false), "and may poll itself");
    lock_wait_end(&inner);
    lock_wait_done(&inner);
    lock_leave();
    lock_wait_end(&wait);
    lock_wait_done(&wait);
    EQUAL(lock_inside.depth, 1, "then goes on");
    OK(lock_wait_out(), "nobody else polls");
    const unsigned depth = lock_drop();
    EQUAL(lock_inside.depth, 0, "a message handler runs outside");
    lock_take(depth);
    EQUAL(lock_inside.depth, 1, "and comes back in");
    lock_leave();
    OK(lock_is_main() && lock_thread()->is_main, "the only thread is the main one");
}

/* A thread that begins while this one is in a function that the library called. */
static void *enter_once(void *argument)
{
    atomic_store(&step, 1);
    lock_enter();
    atomic_store(&step, 2);
    lock_leave();
    return argument;
}

static void held(void)
{
    pthread_t thread;
    lock_enter();
    lock_hold();
    start(&thread, 1, enter_once);
    OK(comes_to(&step, 1), "a thread begins while the only one is in a matcher");
    nap_ms(20);
    EQUAL(step, 1, "and does not come in");
    lock_leave();
    OK(comes_to(&step, 2), "before the call has ended");
    join(&thread, 1);
}

/* ---- exclusion ---- */

static long plain; /* guarded by the lock alone */

static void *add_turns(void *argument)
{
    for (int i = 0; i < TURNS; i++) {
        lock_enter();
        const long before = plain;
        lock_enter();
        plain = before + 1;
        lock_leave();
        lock_leave();
    }
    return argument;
}

static void exclusion(void)
{
    pthread_t threads[THREADS];
    plain = 0;
    start(threads, THREADS, add_turns);
    join(threads, THREADS);
    EQUAL(plain, (long)THREADS * TURNS, "one at a time is inside");
}

/* Each has a signal handler come at any instruction of the taking and giving. */
static volatile sig_atomic_t handler_runs;

static void on_alarm(int number)
{
    (void)number;
    lock_enter();
    const long before = plain;
    plain = before + 1;
    lock_leave();
    handler_runs++;
}

static void interrupted(void)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART}, previous;
    const struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
    pthread_t threads[2];
    sigset_t alarm, old;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    plain = 0;
    sigaction(SIGALRM, &action, &previous);
    /* This thread has the handler, the others contend. */
    pthread_sigmask(SIG_BLOCK, &alarm, &old);
    start(threads, 2, add_turns);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    long turns = 0;
    while (handler_runs < 2000 && turns < 20000000) {
        lock_enter();
        lock_leave();
        turns++;
    }
    setitimer(ITIMER_REAL, &never, NULL);
    join(threads, 2);
    sigaction(SIGALRM, &previous, NULL);
    OK(handler_runs > 100, "a handler came again and again");
    EQUAL(plain, 2 * TURNS + handler_runs, "and was inside alone");
    EQUAL(lock_inside.depth, 0, "and left all as it was");
    lock_enter();
    EQUAL(lock_inside.depth, 1, "so the lock can be taken");
    lock_leave();
}

/* ---- waiting ---- */

static atomic_int pollers, sleepers, looked;
static int shared_kick;

/* Waits until |may_go|: as the poller, by its kick alone. */
static void *wait_to_go(void *argument)
{
    lock_enter();
    atomic_fetch_add(&step, 1);
    while (!atomic_load(&may_go)) {
        struct lock_wait wait;
        if (lock_wait_begin(&wait, INT64_MAX, false)) {
            shared_kick = wait.kick;
            atomic_fetch_add(&pollers, 1);
            is_readable(wait.kick, LIMIT_MS);
            atomic_fetch_sub(&pollers, 1);
            lock_wait_end(&wait);
            lock_wait_done(&wait);
        } else {
            atomic_fetch_add(&sleepers, 1);
        }
        atomic_fetch_add(&looked, 1);
    }
    lock_leave();
    return argument;
}

static void one_polls(void)
{
    pthread_t threads[THREADS];
    start(threads, THREADS, wait_to_go);
    OK(comes_to(&step, THREADS) && comes_to(&pollers, 1), "all wait");
    lock_enter(); /* the last of them is asleep, or polls */
    lock_leave();
    nap_ms(10);
    EQUAL(pollers, 1, "one of them polls");
    EQUAL(looked, 0, "nobody wakes for nothing");
    lock_enter();
    lock_news();
    lock_leave();
    OK(comes_to(&sleepers, THREADS - 1), "news by another wake those who sleep");
    OK(comes_to(&looked, THREADS), "and him who polls: what came may be his");
    OK(comes_to(&pollers, 1), "then one polls again");
    lock_enter();
    atomic_store(&may_go, true);
    lock_news();
    lock_leave();
    join(threads, THREADS);
    EQUAL(pollers, 0, "all have gone");
}

/* The first leaves its poll alone; the second must take it over. */
static void *poll_and_leave(void *argument)
{
    struct lock_wait wait;
    lock_enter();
    if (!lock_wait_begin(&wait, INT64_MAX, false))
        abort();
    atomic_store(&step, 1);
    while (!atomic_load(&may_go))
        nap_ms(1);
    lock_wait_end(&wait);
    lock_wait_done(&wait);
    lock_leave();
    return argument;
}

static void *take_over(void *argument)
{
    struct lock_wait wait;
    lock_enter();
    atomic_store(&step, 2);
    while (!lock_wait_begin(&wait, INT64_MAX, false))
        continue;
    atomic_store(&step, 3);
    lock_wait_end(&wait);
    lock_wait_done(&wait);
    lock_leave();
    return argument;
}

static void hand_over(void)
{
    pthread_t first, second;
    start(&first, 1, poll_and_leave);
    OK(comes_to(&step, 1), "one polls");
    pthread_create(&second, NULL, take_over, NULL);
    OK(comes_to(&step, 2), "another sleeps");
    nap_ms(10);
    EQUAL(step, 2, "as long as the first polls");
    atomic_store(&may_go, true);
    OK(comes_to(&step, 3), "and polls when the first leaves");
    join(&first, 1);
    join(&second, 1);
}

static void times(void)
{
    pthread_t first;
    struct lock_wait wait;
    start(&first, 1, poll_and_leave);
    comes_to(&step, 1);
    lock_enter();
    const int64_t before_ns = task_now_ns();
    OK(!lock_wait_begin(&wait, before_ns + 30000000, false), "who may not poll sleeps");
    const int64_t took_ns = task_now_ns() - before_ns;
    OK(took_ns >= 30000000 && took_ns < 5000000000, "until its time is over");
    OK(lock_wait_begin(&wait, before_ns, true), "who waits for room polls beside the poller");
    EQUAL(wait.deadline_ns, before_ns, "until its own time");
    lock_wait_end(&wait);
    lock_wait_done(&wait);
    atomic_store(&may_go, true);
    lock_leave();
    join(&first, 1);
}

/* A message handler that the poller runs: others poll meanwhile. */
static void *drop_as_poller(void *argument)
{
    struct lock_wait wait;
    lock_enter();
    if (!lock_wait_begin(&wait, INT64_MAX, false))
        abort();
    lock_wait_end(&wait);
    const unsigned depth = lock_drop();
    atomic_store(&step, 1);
    while (!atomic_load(&may_go))
        nap_ms(1);
    lock_take(depth);
    lock_wait_done(&wait);
    lock_leave();
    return argument;
}

static void dropped(void)
{
    pthread_t first;
    struct lock_wait wait;
    start(&first, 1, drop_as_poller);
    OK(comes_to(&step, 1), "a poller runs a message handler");
    lock_enter();
    OK(lock_wait_begin(&wait, task_now_ns() + 5000000000, false), "another may poll");
    lock_wait_end(&wait);
    atomic_store(&may_go, true);
    const unsigned depth = lock_drop();
    join(&first, 1);
    lock_take(depth);
    lock_wait_done(&wait);
    lock_leave();
}

/* ---- closing what others poll ---- */

static atomic_int closing;

static void *close_out(void *argument)
{
    lock_enter();
    atomic_store(&closing, 1);
    if (lock_wait_out())
        atomic_store(&closing, 2);
    lock_leave();
    return argument;
}

static void closed(void)
{
    pthread_t first, second;
    atomic_store(&closing, 0);
    start(&first, 1, poll_and_leave);
    comes_to(&step, 1);
    pthread_create(&second, NULL, close_out, NULL);
    OK(comes_to(&closing, 1), "one closes what another polls");
    nap_ms(20);
    EQUAL(closing, 1, "and waits until that is out");
    OK(is_readable(shared_kick, 0) || shared_kick < 0, "who was kicked");
    atomic_store(&may_go, true);
    OK(comes_to(&closing, 2), "and then goes on");
    join(&first, 1);
    join(&second, 1);

    start(&first, 1, poll_and_leave);
    comes_to(&step, 1);
    lock_enter();
    lock_enter();
    OK(!lock_wait_out(), "inside another call nobody is waited for");
    lock_leave();
    atomic_store(&may_go, true);
    lock_leave();
    join(&first, 1);
}

/* ---- threads ---- */

static struct client *client;
static struct lock_thread *record;

static void *work_and_end(void *argument)
{
    lock_enter();
    record = lock_thread();
    OK(!record->is_main && !lock_is_main(), "another thread is not the main one");
    EQUAL(client_getcontext(client), 42, "it begins in the context of the main one");
    client_initsend(client, PvmDataDefault);
    const int mid = client_getsbuf(client);
    lock_leave();
    lock_enter();
    EQUAL(client_getsbuf(client), mid, "it has active buffers of its own");
    lock_leave();
    *(int *)argument = mid;
    return NULL;
}

static void belongings(void)
{
    pthread_t thread;
    int mid = 0, bytes;
    const struct client_config config = {.signature = client_signature_native()};
    client = client_create(&config);
    pvmmyctx = 42;
    lock_enter();
    lock_set_client(client);
    client_initsend(client, PvmDataDefault);
    const int mine = client_getsbuf(client);
    lock_leave();
    pthread_create(&thread, NULL, work_and_end, &mid);
    join(&thread, 1);
    lock_enter();
    EQUAL(client_getsbuf(client), mine, "those of the main thread stay as they were");
    OK(mid > 0 && mid != mine, "the other had another");
    EQUAL(client_bufinfo(client, mid, &bytes, NULL, NULL), PvmNoSuchBuf,
          "which is freed at its end");
    lock_set_client(NULL);
    lock_leave();
    client_destroy(client);
    pvmmyctx = 0;
}

static void *end_inside(void *argument)
{
    lock_enter();
    pthread_exit(argument);
}

static void ended_inside(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, end_inside, NULL);
    join(&thread, 1);
    lock_enter();
    OK(true, "a thread that ends inside takes nothing with it");
    lock_leave();
}

/* ---- fork ---- */

#if defined(__SANITIZE_THREAD__)
#define HAS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_TSAN 1
#endif
#endif

#ifndef HAS_TSAN
static int child_of(bool inside)
{
    if (inside)
        lock_enter();
    const pid_t child = fork();
    if (child == 0) {
        alarm(10);
        const bool is_right = lock_inside.depth == (inside ? 1u : 0u);
        if (inside)
            lock_leave();
        lock_enter();
        struct lock_wait wait;
        const bool may_poll = lock_wait_begin(&wait, INT64_MAX, false);
        lock_wait_end(&wait);
        lock_wait_done(&wait);
        lock_leave();
        _exit(is_right && may_poll && lock_is_main() ? 0 : 1);
    }
    if (inside)
        lock_leave();
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

static void *fork_here(void *argument)
{
    for (int i = 0; i < 20; i++)
        EQUAL(child_of(i % 2), 0, "a child of another thread has the lock to itself");
    return argument;
}

static void forks(void)
{
    pthread_t busy[2], poller, forking;
    pthread_create(&busy[0], NULL, add_turns, NULL);
    pthread_create(&busy[1], NULL, add_turns, NULL);
    start(&poller, 1, poll_and_leave);
    comes_to(&step, 1);
    for (int i = 0; i < 20; i++)
        EQUAL(child_of(i % 2), 0, "a child has the lock to itself");
    pthread_create(&forking, NULL, fork_here, NULL);
    join(&forking, 1);
    atomic_store(&may_go, true);
    join(&poller, 1);
    join(busy, 2);
}
#else
static void forks(void)
{
    SKIP("a child has the lock to itself", "the thread sanitizer and fork");
}
#endif

int main(void)
{
    TEST(alone);
    TEST(held);
    TEST(exclusion);
    TEST(interrupted);
    TEST(one_polls);
    TEST(hand_over);
    TEST(times);
    TEST(dropped);
    TEST(closed);
    TEST(belongings);
    TEST(ended_inside);
    TEST(forks);
    return tap_done();
}
