/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads in one task (decision D14): one lock round the library, one waiter at a time.
 *
 * Every public call that touches the task begins with lock_enter() and ends with lock_leave().
 * While the C library says that the process has one thread (glibc does), no lock is taken: both
 * count, that is all. They nest: a call may call another, a matcher calls the library, a signal
 * handler may interrupt a call.
 *
 * A call that must wait asks lock_wait_begin(): who gets true polls for all, without the lock, and
 * says lock_wait_end(), deals with what came, and says lock_wait_done(); who gets false has slept
 * until something came, until the poller left, or until its deadline, and looks again too. So a
 * message goes to exactly one matching receive, and when the poller leaves another takes over.
 * Whatever is taken in, by whomever, is told by lock_news(): the poller too may wait for it.
 *
 *     struct lock_wait wait;
 *     if (lock_wait_begin(&wait, deadline_ns, false)) {
 *         poll(what the task waits for and, when it is not -1, wait.kick, until wait.deadline_ns);
 *         lock_wait_end(&wait);
 *         push, pump: lock_news() when something was taken in;
 *         lock_wait_done(&wait);
 *     }
 *     whoever comes here looks again: for his message, and whether the task still is the one it was
 *     (pvm_exit by another thread, and perhaps a new enrolment)
 *
 * Who closes what others may poll takes it out of the task first, then calls lock_wait_out(), then
 * closes.
 *
 * Threads may appear at any time but one: while the only thread is inside a call. Only functions
 * of the program that the library calls could do that, so the library calls lock_drop() and
 * lock_take() round message handlers and lock_hold() before matchers.
 *
 * The main thread is the one that loaded the library, and after fork() the one that is left. What
 * belongs to another thread is struct lock_thread.
 */
#ifndef LIBPVM_LOCK_H
#define LIBPVM_LOCK_H

#include "base/arena.h"
#include "client/client.h"

#include <stdbool.h>
#include <stdint.h>
#if defined(__has_include)
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define LOCK_ALONE (__libc_single_threaded)
#endif
#endif
#ifndef LOCK_ALONE /* nobody tells: the lock is always taken */
#define LOCK_ALONE 0
#endif

#pragma GCC visibility push(hidden)

/* For the functions below only. Written by the thread that is inside. */
struct lock_inside {
    unsigned depth; /* of calls in calls */
    bool is_shared; /* the lock was taken before: the process had more threads than one */
};
extern struct lock_inside lock_inside;
void lock_enter_shared(void);
void lock_leave_shared(void);
void lock_news_shared(void);

static inline void lock_enter(void)
{
    if (LOCK_ALONE)
        lock_inside.depth++;
    else
        lock_enter_shared();
}

static inline void lock_leave(void)
{
    if (--lock_inside.depth == 0 && lock_inside.is_shared)
        lock_leave_shared();
}

/* The caller, who is inside, interrupts a call of the same thread that neither waits nor runs a
 * message handler: nothing of the task may be changed beyond what a signal handler may. */
static inline bool lock_is_nested(void)
{
    return lock_inside.depth > 1;
}

/* ---- waiting ---- */

struct lock_wait {
    int64_t deadline_ns; /* for the poller: not later than its own */
    int kick;            /* becomes readable when the poller is to look again; or -1 */
    unsigned depth;      /* the rest is for the functions below */
    bool is_poller;
    struct lock_thread *outer;
};

/* True: the lock is released, the caller waits for events, then calls lock_wait_end(). False: has
 * waited for another thread's poll, at most until |deadline_ns| (of task_now_ns(); INT64_MAX = for
 * ever); the lock is held again. |must_poll|: the caller waits for something that the poller does
 * not (room for its output), so it polls whether or not another does. */
bool lock_wait_begin(struct lock_wait *wait, int64_t deadline_ns, bool must_poll);
/* Takes the lock again. */
void lock_wait_end(struct lock_wait *wait);
/* Others may poll now, and look for what is theirs. */
void lock_wait_done(struct lock_wait *wait);
/* The caller holds the lock, and another thread waits for it. */
bool lock_is_wanted(void);
/* Another thread polls, so what makes its poll end must stay armed. */
bool lock_is_polled(void);
/* Something was taken in, or what is to be polled has changed, or the link was lost: all who wait
 * look again. */
static inline void lock_news(void)
{
    if (lock_inside.is_shared)
        lock_news_shared();
}
/* Makes all polls of other threads end, and waits until they have, with the lock released. False:
 * nested (lock_is_nested()), so it could not wait, and what they poll must stay open. */
bool lock_wait_out(void);

/* ---- functions of the program ---- */

/* Round a message handler: the lock is dropped whole. lock_take() is given what lock_drop()
 * returned. */
unsigned lock_drop(void);
void lock_take(unsigned depth);
/* The lock is held really from here to the end of the call. */
void lock_hold(void);

/* ---- what belongs to a thread ---- */

/* Memory of the library's that calls return. */
enum lock_result {
    LOCK_RESULT_CONFIG,
    LOCK_RESULT_TASKS,
    LOCK_RESULT_MBOXES,
    LOCK_RESULT_NORESETS,
    LOCK_RESULTS
};

struct lock_thread {
    uint32_t id; /* among threads */
    bool is_known;
    bool is_main;
    unsigned polls;              /* of its own under way: more than one when a handler polls */
    unsigned taking;             /* the depth to be, while it takes the lock; else 0 */
    unsigned entries;            /* calls with the lock, and calls that interrupted them */
    int cancel_state;            /* outside of the library */
    int error;                   /* its last; the main thread's is pvm_errno */
    struct client_thread client; /* the main thread uses the client's own */
    struct arena results[LOCK_RESULTS]; /* of calls that return memory of the library's */
};

/* The calling thread's. With one thread no thread-local memory is touched. */
struct lock_thread *lock_thread(void);
static inline bool lock_is_main(void)
{
    return LOCK_ALONE || lock_thread()->is_main;
}
/* The task's client from now on (NULL = none): the lock tells it whose call it is. The lock is
 * held. */
void lock_set_client(struct client *client);

/* ---- fork ---- */

/* lock.c has fork() wait until no other thread is inside. In the child this is called first: as if
 * nobody held anything, the client forgotten. */
void lock_forked(void);

#pragma GCC visibility pop

#endif
