/* SPDX-License-Identifier: BSD-3-Clause */
/* Spinning and sleeping: see the header. Linux; elsewhere absent_share.c polls the socket. */
#include "libpvm/wait.h"

#include "base/check.h"
#include "libpvm/lock.h"
#include "libpvm/pairs.h"
#include "libpvm/spin.h"
#include "libpvm/task.h"
#include "share/machine.h"
#include "share/segment.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    SPIN_NS = 50000,         /* about two blocked wake-ups */
    MOMENT_NS = 1000,        /* less than a sleep and the wake-up from it */
    YIELD_NS = 700,          /* more than a call of the system, less than a switch and back */
    AFFINITY_NS = 100000000, /* how long what was read is believed */
    QUOTA_NS = 1000000000,
    RATE_NS = 2000000, /* over which the rate of ticks is measured */
    LOOKS_BETWEEN = 8, /* looks between two looks at the clock */
    LOOKS_EAGER = 64   /* looks without a pause, which takes as long as two lines of cache */
};

/* Which descriptor an event of the set is of. */
enum { SET_SOCKET, SET_BELL, SET_SHOWN };

static struct {
    _Atomic int socket; /* also read without the lock */
    int set;            /* epoll; -1 until needed */
    int shown;          /* eventfd of the program's; -1 */
    int bell;           /* in the set; the segment's */
    bool is_ringing;
    _Atomic bool socket_came; /* also written without the lock */

    struct spin spin;
    struct spin turns; /* how long it pays to take turns */
    bool is_ready;     /* both are */
    bool is_core_ours; /* nobody else wanted it lately */
    bool is_rate_known;
    double ticks_per_ns;
    uint64_t first_ticks;
    int64_t first_ns;
    unsigned cpus;
    unsigned quota;
    uint64_t affinity_at; /* share_ticks() when it was read */
    uint64_t quota_at;
} waiting = {.socket = -1, .set = -1, .shown = -1, .bell = -1};

/* ---- the set ---- */

static void set_add(int fd, uint32_t events, uint32_t which)
{
    struct epoll_event event = {.events = events, .data = {.u32 = which}};
    if (fd >= 0 && epoll_ctl(waiting.set, EPOLL_CTL_ADD, fd, &event) < 0) {
        close(waiting.set); /* no memory: poll() then, of the socket and the bell */
        waiting.set = -1;
    }
}

static void set_open(void)
{
    if (waiting.set < 0) {
        waiting.set = epoll_create1(EPOLL_CLOEXEC);
        if (waiting.set < 0)
            return;
        set_add(waiting.socket, EPOLLIN, SET_SOCKET);
        waiting.bell = -1;
    }
    if (waiting.set >= 0 && waiting.bell != pairs_glance.bell) {
        waiting.bell = pairs_glance.bell;
        set_add(waiting.bell, EPOLLIN | EPOLLET, SET_BELL);
    }
}

void wait_changed(void)
{
    set_open();
    lock_news();
}

void wait_begin(int socket)
{
    waiting.socket = socket;
    if (!waiting.first_ns) {
        waiting.first_ticks = share_ticks();
        waiting.first_ns = task_now_ns();
    }
}

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

struct wait_fds wait_end(void)
{
    const struct wait_fds fds = {waiting.set, waiting.shown};
    waiting.set = -1; /* one by one: what is atomic is no value to an assignment round it */
    waiting.shown = -1;
    waiting.socket = -1;
    waiting.bell = -1;
    waiting.is_ringing = false;
    waiting.socket_came = false;
    return fds;
}

void wait_fds_close(struct wait_fds fds)
{
    fd_close(&fds.shown);
    fd_close(&fds.set);
}

/* ---- spinning ---- */

/* Ticks to a nanosecond: guessed until there was time to measure it. */
static void rate_measure(void)
{
    if (waiting.is_rate_known)
        return;
    const int64_t elapsed_ns = task_now_ns() - waiting.first_ns;
    const uint64_t elapsed = share_ticks() - waiting.first_ticks;
    if (elapsed_ns > 1000)
        waiting.ticks_per_ns = (double)elapsed / (double)elapsed_ns;
    else if (waiting.ticks_per_ns <= 0)
        waiting.ticks_per_ns = 1;
    waiting.is_rate_known = elapsed_ns > RATE_NS;
}

static uint64_t ticks_of(int64_t ns)
{
    return (uint64_t)((double)ns * waiting.ticks_per_ns);
}

/* PVM_SPIN_US: microseconds, always; 0 = never. */
static void spin_ready(void)
{
    const char *given = getenv("PVM_SPIN_US");
    const bool is_fixed = given && *given >= '0' && *given <= '9';
    const int64_t most_ns = is_fixed ? strtol(given, NULL, 10) * 1000L : SPIN_NS;
    rate_measure();
    if (!waiting.is_ready)
        spin_init(&waiting.spin, ticks_of(most_ns), is_fixed);
    else
        spin_scale(&waiting.spin, ticks_of(most_ns));
    if (!waiting.is_ready)
        spin_init(&waiting.turns, ticks_of(SPIN_NS), false);
    else
        spin_scale(&waiting.turns, ticks_of(SPIN_NS));
    waiting.is_ready = true;
}

/* Affinity changes while a task runs (taskset -p), quotas seldom. */
static void cpus_refresh(void)
{
    const uint64_t now = share_ticks();
    if (!waiting.quota_at || now - waiting.quota_at > ticks_of(QUOTA_NS)) {
        waiting.quota = machine_cpus_quota("");
        waiting.quota_at = now;
    }
    if (!waiting.affinity_at || now - waiting.affinity_at > ticks_of(AFFINITY_NS)) {
        waiting.cpus = machine_cpus_affine();
        waiting.affinity_at = now;
    }
}

static bool is_core_to_spare(void)
{
    return waiting.spin.is_fixed || MIN_OF(waiting.cpus, waiting.quota) > 1;
}

uint64_t wait_spin_ticks(void)
{
    if (!waiting.is_rate_known || !waiting.is_ready) {
        spin_ready();
        cpus_refresh();
    }
    return is_core_to_spare() ? spin_budget(&waiting.spin) : 0;
}

static bool spin_until(int tid, uint64_t ticks, uint64_t began)
{
    const bool is_alone = LOCK_ALONE;
    for (int eager = LOOKS_EAGER;;) {
        for (int i = 0; i < LOOKS_BETWEEN; i++) {
            if (!pairs_glance.is_open)
                return false; /* a signal handler left the machine */
            if (news_exist(tid))
                return true;
            if (!is_alone && lock_is_wanted())
                return false;
            if (eager > 0)
                eager--;
            else
                wait_pause();
        }
        if (share_ticks() - began > ticks)
            return false;
    }
}

/* Gives the core to whoever wants it. A call that comes back at once found nobody. */
static void yield_core(void)
{
    const uint64_t began = share_ticks();
    sched_yield();
    waiting.is_core_ours = share_ticks() - began < ticks_of(YIELD_NS);
}

/* Where more tasks than cores want to run nobody spins; but who sleeps after each message costs its
 * sender a call of the system and the machine a wake-up for the next. So those who talk take turns:
 * a moment's look where nobody else wants this core, then it is given to whoever does, and so on
 * for about as long as two wake-ups take. Where that brings nothing, as beside one who computes and
 * keeps the core for milliseconds, it is given up like spinning. It serves those bound to one core
 * too, whoever they share it with. */
static bool take_turns(int tid)
{
    const uint64_t ticks = spin_budget(&waiting.turns);
    if (ticks == 0)
        return false;
    const uint64_t began = share_ticks(), moment = ticks_of(MOMENT_NS);
    const unsigned depth = lock_drop();
    bool came = false;
    pairs_watch_begin();
    while (!came && pairs_glance.is_open && share_ticks() - began < ticks) {
        came = waiting.is_core_ours && spin_until(tid, moment, share_ticks());
        if (!came && pairs_glance.is_open) {
            yield_core();
            came = pairs_glance.is_open && news_exist(tid);
        }
    }
    pairs_watch_end();
    lock_take(depth);
    if (came)
        spin_paid(&waiting.turns, share_ticks() - began);
    else
        spin_failed(&waiting.turns);
    return came;
}

bool wait_spin(int tid)
{
    const uint64_t ticks = wait_spin_ticks();
    if (ticks == 0) {
        cpus_refresh();
        return !waiting.spin.is_fixed && LOCK_ALONE && take_turns(tid);
    }
    const bool is_alone = LOCK_ALONE;
    const uint64_t began = share_ticks();
    /* Who is alone lets go, so that the handler of a signal may do what it may in a sleep. */
    const unsigned depth = is_alone ? lock_drop() : 0;
    pairs_watch_begin();
    const bool came = spin_until(tid, ticks, began);
    pairs_watch_end();
    if (is_alone)
        lock_take(depth);
    const uint64_t took = share_ticks() - began;
    if (came)
        spin_paid(&waiting.spin, took);
    else if (took > ticks)
        spin_failed(&waiting.spin);
    if (!came)
        cpus_refresh(); /* now, and not when the wake-up has come */
    return came;
}

uint64_t wait_moment(void)
{
    return share_ticks();
}

void wait_learn(uint64_t began)
{
    if (!waiting.is_ready)
        return;
    spin_slept(&waiting.spin, share_ticks() - began);
    spin_slept(&waiting.turns, share_ticks() - began);
}

/* ---- sleeping ---- */

/* Takes what the set has; it forgets rings that way. How many, or -1. */
static int set_take(int set, int timeout)
{
    struct epoll_event events[4];
    const int count = epoll_wait(set, events, (int)ARRAY_LEN(events), timeout);
    for (int i = 0; i < count; i++)
        waiting.socket_came |= events[i].data.u32 == SET_SOCKET;
    return count;
}

/* The socket or the set, and what else ends this wait. */
static int poll_all(const struct wait_for *wait, int timeout)
{
    struct pollfd fds[3] = {
        {.fd = wait->set >= 0 ? wait->set : wait->socket, .events = POLLIN},
        {.fd = wait->kick, .events = POLLIN},
        {.fd = wait->wants_write ? wait->socket : -1, .events = POLLOUT},
    };
    const int ready = poll(fds, ARRAY_LEN(fds), timeout);
    if (ready <= 0)
        return ready;
    if (wait->set < 0)
        waiting.socket_came = true;
    else if (fds[0].revents)
        set_take(wait->set, 0);
    return ready;
}

void wait_prepare(struct wait_for *wait)
{
    wait->socket = waiting.socket;
    wait->set = waiting.set;
}

int wait_sleep(const struct wait_for *wait)
{
    for (;;) {
        const int timeout = task_timeout_ms(wait->deadline_ns);
        const bool is_plain = wait->set >= 0 && wait->kick < 0 && !wait->wants_write;
        const int ready = is_plain ? set_take(wait->set, timeout) : poll_all(wait, timeout);
        if (ready > 0 || waiting.socket != wait->socket)
            return 1;
        if (ready < 0 && errno != EINTR)
            return 1; /* the set is not there any more: a handler left */
        if (wait->deadline_ns != INT64_MAX && task_now_ns() >= wait->deadline_ns)
            return 0;
    }
}

bool wait_socket_came(void)
{
    const bool came = waiting.socket_came;
    waiting.socket_came = false;
    return came;
}

/* ---- pvm_getfds() ---- */

int wait_show(void)
{
    set_open();
    if (waiting.set >= 0 && waiting.shown < 0) {
        waiting.shown = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        set_add(waiting.shown, EPOLLIN, SET_SHOWN);
        if (waiting.set < 0)
            fd_close(&waiting.shown);
    }
    return waiting.set;
}

bool wait_is_shown(void)
{
    return waiting.shown >= 0;
}

void wait_show_waiting(bool is_waiting)
{
    uint64_t count = 1;
    ssize_t done = 0;
    if (is_waiting && !waiting.is_ringing)
        done = write(waiting.shown, &count, sizeof(count));
    else if (!is_waiting && waiting.is_ringing)
        done = read(waiting.shown, &count, sizeof(count));
    waiting.is_ringing = done > 0 ? is_waiting : waiting.is_ringing;
    if (!is_waiting)
        set_take(waiting.set, 0);
}
