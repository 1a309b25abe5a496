/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lock round the library and the waiting of its threads: see the header. Who does not poll
 * sleeps on a semaphore of its own; a descriptor gets pollers out of their polls, which exists
 * only while there are threads.
 *
 * All of it may be interrupted by a signal handler that calls the library. So there is no
 * condition variable (one that was interrupted inside holds up all others), and nothing is kept
 * for a thread that a second wait of the same thread could not put on top.
 */
#include "libpvm/lock.h"

#include "base/list.h"
#include "libpvm/latch.h"
#include "libpvm/task.h"

#include "pvm3.h"
#include "pvmtev.h"
#include "libpvm/data.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef PLATFORM_LINUX
#include <sys/eventfd.h>
#endif

enum {
    UNKICKED_POLL_NS = 50 * 1000 * 1000, /* of a poller that cannot be kicked */
    MAIN_ID = 1
};

/* A thread that sleeps until something changes. */
struct sleeper {
    struct list link;
    sem_t wake;
    bool is_woken;
};

struct lock_inside lock_inside;

/* Guarded by |latch|. */
static struct {
    struct latch latch;
    struct client *client;
    struct lock_thread *poller; /* polls for all */
    unsigned polling;           /* polls under way, the poller's among them */
    struct list sleepers;
    unsigned closers; /* wait for polls to end: nobody begins one */
    uint64_t news;
    int kick[2]; /* read end, write end: the same one where there is eventfd; -1 = not there */
    bool is_kicked;
    bool is_fork_held; /* by lock_fork_prepare() */
    pthread_key_t leaving; /* its destructor tells of the end of a thread */
    bool has_leaving;
} lock = {.sleepers = {&lock.sleepers, &lock.sleepers}, .kick = {-1, -1}};

static struct lock_thread main_thread = {.is_main = true, .id = MAIN_ID};
static _Atomic uint32_t last_id = MAIN_ID;
static _Thread_local struct lock_thread other_thread;
static _Thread_local struct lock_thread *this_thread; /* NULL = not seen yet */

/* ---- threads ---- */

static struct lock_thread *thread_meet(void)
{
    this_thread = &other_thread;
    do
        other_thread.id = (atomic_fetch_add(&last_id, 1) + 1) & LATCH_OWNER_MAX;
    while (other_thread.id <= MAIN_ID);
    for (size_t i = 0; i < LOCK_RESULTS; i++)
        arena_init(&other_thread.results[i]);
    if (lock.has_leaving) /* if not: what is active when it ends stays until the task's end */
        pthread_setspecific(lock.leaving, &other_thread);
    return this_thread;
}

struct lock_thread *lock_thread(void)
{
    if (LOCK_ALONE)
        return &main_thread;
    return this_thread ? this_thread : thread_meet();
}

/* The client is told whose call this is. A thread begins in the context that the main one is in. */
static void client_tell(struct lock_thread *me)
{
    if (!lock.client)
        return;
    if (!me->is_known && !me->is_main)
        me->client.context = pvmmyctx;
    me->is_known = true;
    client_enter(lock.client, me->is_main ? NULL : &me->client);
}

void lock_set_client(struct client *client)
{
    lock.client = client;
    client_tell(lock_thread());
}

/* ---- the lock ---- */

static bool is_owner(const struct lock_thread *me)
{
    return latch_is_of(&lock.latch, me->id);
}

/* A signal handler that comes when the latch is taken and the depth not yet written finds it in
 * |taking|, and leaves both as they would have been; lock_enter_shared(). */
static void acquire(struct lock_thread *me, unsigned depth)
{
    const unsigned outer = me->taking;
    me->taking = depth;
    atomic_signal_fence(memory_order_seq_cst);
    latch_take(&lock.latch, me->id);
    lock_inside.depth = depth;
    lock_inside.is_shared = true;
    atomic_signal_fence(memory_order_seq_cst);
    me->taking = outer;
    client_tell(me);
}

/* The depth goes first: a handler that comes then gives the latch itself. Returns how deep the
 * holder was. */
static unsigned release(struct lock_thread *me)
{
    const unsigned depth = lock_inside.depth;
    lock_inside.depth = 0;
    atomic_signal_fence(memory_order_seq_cst);
    latch_give(&lock.latch, me->id);
    return depth;
}

void lock_enter_shared(void)
{
    struct lock_thread *me = lock_thread();
    if (is_owner(me)) {
        if (lock_inside.depth == 0)
            lock_inside.depth = me->taking;
        lock_inside.depth++;
        return;
    }
    /* A thread that is cancelled inside would take the lock or the others' poll with it. */
    if (me->entries++ == 0)
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &me->cancel_state);
    acquire(me, 1);
}

void lock_leave_shared(void)
{
    struct lock_thread *me = lock_thread();
    if (!is_owner(me))
        return; /* it entered alone */
    release(me);
    if (me->entries > 0 && --me->entries == 0)
        pthread_setcancelstate(me->cancel_state, NULL);
}

/* Gives up whatever the caller has, held or alone. Returns how deep it was. */
static unsigned let_go(void)
{
    struct lock_thread *me = lock_thread();
    if (is_owner(me))
        return release(me);
    const unsigned depth = lock_inside.depth;
    lock_inside.depth = 0;
    return depth;
}

static void take_back(unsigned depth)
{
    if (LOCK_ALONE)
        lock_inside.depth = depth;
    else
        acquire(lock_thread(), depth);
}

static void wake_all(void)
{
    LIST_EACH(node, following, &lock.sleepers)
    {
        struct sleeper *sleeper = LIST_ENTRY(node, struct sleeper, link);
        if (!sleeper->is_woken)
            sem_post(&sleeper->wake);
        sleeper->is_woken = true;
    }
}

/* Who runs the program's code may take long over it: others poll meanwhile. */
unsigned lock_drop(void)
{
    if (lock.poller == lock_thread()) {
        lock.poller = NULL;
        wake_all();
    }
    return let_go();
}

void lock_take(unsigned depth)
{
    take_back(depth);
}

void lock_hold(void)
{
    struct lock_thread *me = lock_thread();
    if (!is_owner(me))
        acquire(me, lock_inside.depth);
}

/* The end of a thread: what is active is freed as its next pvm_recv() and pvm_initsend() would
 * have. Should another destructor call the library, the thread is seen anew, and this comes again.
 */
static void thread_leave(void *argument)
{
    struct lock_thread *thread = argument;
    if (thread == this_thread) {
        if (is_owner(thread)) /* pthread_exit() in a function that the library called */
            release(thread);
        lock_enter();
        if (lock.client)
            client_thread_end(lock.client, &thread->client);
        lock_leave();
    }
    for (size_t i = 0; i < LOCK_RESULTS; i++)
        arena_fini(&thread->results[i]);
    memset(thread, 0, sizeof(*thread));
    this_thread = NULL;
}

/* ---- kicks ---- */

static void kick_close(void)
{
    if (lock.kick[0] >= 0)
        close(lock.kick[0]);
    if (lock.kick[1] >= 0 && lock.kick[1] != lock.kick[0])
        close(lock.kick[1]);
    lock.kick[0] = lock.kick[1] = -1;
    lock.is_kicked = false;
}

#ifdef PLATFORM_LINUX
static void kick_open(void)
{
    lock.kick[0] = lock.kick[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}
#else
static void kick_open(void)
{
    if (pipe(lock.kick) < 0) {
        lock.kick[0] = lock.kick[1] = -1;
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(lock.kick); i++)
        if (fcntl(lock.kick[i], F_SETFD, FD_CLOEXEC) < 0 ||
            fcntl(lock.kick[i], F_SETFL, O_NONBLOCK) < 0) {
            kick_close();
            return;
        }
}
#endif

/* Gets all pollers out. It stays readable until the last of them is. */
static void kick(void)
{
    const uint64_t one = 1;
    if (lock.is_kicked || lock.kick[1] < 0)
        return;
    const int error = errno;
    lock.is_kicked = write(lock.kick[1], &one, sizeof(one)) > 0;
    errno = error;
}

static void kick_clear(void)
{
    uint64_t count;
    if (!lock.is_kicked)
        return;
    const int error = errno;
    while (read(lock.kick[0], &count, sizeof(count)) < 0 && errno == EINTR)
        continue;
    errno = error;
    lock.is_kicked = false;
}

/* ---- waiting ---- */

/* False when |deadline_ns| has come first. A signal may end it too early. */
#if defined(PLATFORM_LINUX) && defined(__GLIBC__)
static bool sleep_until(sem_t *wake, int64_t deadline_ns)
{
    if (deadline_ns == INT64_MAX)
        return sem_wait(wake) == 0 || errno == EINTR;
    const struct timespec until = {.tv_sec = (time_t)(deadline_ns / 1000000000),
                                   .tv_nsec = (long)(deadline_ns % 1000000000)};
    return sem_clockwait(wake, CLOCK_MONOTONIC, &until) == 0 || errno == EINTR;
}
#else
/* POSIX semaphores know the time of day only, which may be set: no sleep is longer than a second.
 */
static bool sleep_until(sem_t *wake, int64_t deadline_ns)
{
    if (deadline_ns == INT64_MAX)
        return sem_wait(wake) == 0 || errno == EINTR;
    const int64_t left_ns = deadline_ns - task_now_ns();
    if (left_ns <= 0)
        return false;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    const int64_t end_ns = until.tv_nsec + MIN_OF(left_ns, 1000000000);
    until.tv_sec += (time_t)(end_ns / 1000000000);
    until.tv_nsec = (long)(end_ns % 1000000000);
    return sem_timedwait(wake, &until) == 0 || left_ns > 1000000000 || errno == EINTR;
}
#endif

/* Without the lock, until the next change, or for no reason. False when |deadline_ns| has come. */
static bool doze(struct lock_thread *me, int64_t deadline_ns)
{
    struct sleeper sleeper = {0};
    const int error = errno;
    sem_init(&sleeper.wake, 0, 0);
    list_push_back(&lock.sleepers, &sleeper.link);
    const unsigned depth = release(me);
    const bool is_early = sleep_until(&sleeper.wake, deadline_ns);
    acquire(me, depth);
    list_remove(&sleeper.link);
    sem_destroy(&sleeper.wake);
    errno = error;
    return is_early;
}

static void sleep_for_news(struct lock_thread *me, int64_t deadline_ns)
{
    const uint64_t seen = lock.news;
    while (lock.news == seen && (lock.poller || lock.closers) && doze(me, deadline_ns))
        continue;
}

bool lock_wait_begin(struct lock_wait *wait, int64_t deadline_ns, bool must_poll)
{
    struct lock_thread *me = lock_thread();
    const bool is_free = !lock.poller || lock.poller == me;
    if (lock.closers || (!must_poll && !is_free)) {
        sleep_for_news(me, deadline_ns);
        return false;
    }
    *wait = (struct lock_wait){.deadline_ns = deadline_ns, .kick = -1, .is_poller = is_free};
    wait->outer = lock.poller;
    if (is_free)
        lock.poller = me;
    lock.polling++;
    me->polls++;
    if (!LOCK_ALONE) {
        if (lock.kick[0] < 0)
            kick_open();
        wait->kick = lock.kick[0];
        if (wait->kick < 0)
            wait->deadline_ns = MIN_OF(deadline_ns, task_now_ns() + UNKICKED_POLL_NS);
    }
    wait->depth = let_go();
    return true;
}

void lock_wait_end(struct lock_wait *wait)
{
    take_back(wait->depth);
    lock_thread()->polls--;
    if (--lock.polling == 0)
        kick_clear();
    if (lock.closers)
        wake_all();
}

void lock_wait_done(struct lock_wait *wait)
{
    if (!wait->is_poller || lock.poller != lock_thread())
        return;
    lock.poller = wait->outer;
    wake_all();
}

bool lock_is_wanted(void)
{
    return latch_is_wanted(&lock.latch);
}

bool lock_is_polled(void)
{
    return lock_inside.is_shared && lock.polling > lock_thread()->polls;
}

void lock_news_shared(void)
{
    lock.news++;
    wake_all();
    if (lock_is_polled())
        kick();
}

bool lock_wait_out(void)
{
    struct lock_thread *me = lock_thread();
    const bool may_wait = is_owner(me) && !lock_is_nested();
    lock.closers++;
    if (lock.polling > me->polls)
        kick();
    while (may_wait && lock.polling > me->polls) {
        kick();
        doze(me, lock.kick[1] < 0 ? task_now_ns() + UNKICKED_POLL_NS : INT64_MAX);
    }
    lock.closers--;
    lock.news++;
    wake_all();
    if (lock.polling == 0)
        kick_close();
    return lock.polling <= me->polls;
}

/* ---- fork, the beginning ---- */

/* A thread may fork inside: in a matcher, or the library itself. */
static void lock_fork_prepare(void)
{
    struct lock_thread *me = lock_thread();
    if (LOCK_ALONE || is_owner(me))
        return;
    acquire(me, 1);
    lock.is_fork_held = true;
}

static void lock_fork_parent(void)
{
    if (!lock.is_fork_held)
        return;
    lock.is_fork_held = false;
    lock_leave();
}

void lock_forked(void)
{
    const unsigned depth = lock.is_fork_held ? 0 : lock_inside.depth;
    main_thread.entries = this_thread ? this_thread->entries : 0;
    main_thread.cancel_state = this_thread ? this_thread->cancel_state : PTHREAD_CANCEL_ENABLE;
    this_thread = &main_thread;
    main_thread.polls = main_thread.taking = 0;
    main_thread.is_known = false;
    kick_close();
    latch_init(&lock.latch);
    lock_inside.depth = 0;
    lock.client = NULL;
    lock.poller = NULL;
    lock.polling = lock.closers = 0;
    list_init(&lock.sleepers);
    lock.is_fork_held = false;
    if (depth > 0) /* the call that forked comes to its end in the child too */
        acquire(&main_thread, depth);
}

/* Before main(), or by the thread that loads the library later. */
__attribute__((constructor)) static void lock_start(void)
{
    this_thread = &main_thread;
    latch_init(&lock.latch);
    for (size_t i = 0; i < LOCK_RESULTS; i++)
        arena_init(&main_thread.results[i]);
    lock.has_leaving = pthread_key_create(&lock.leaving, thread_leave) == 0;
    pthread_atfork(lock_fork_prepare, lock_fork_parent, lock_forked);
}
