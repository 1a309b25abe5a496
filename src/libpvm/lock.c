/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lock round the library and the waiting of its threads: see the header. A mutex, one condition
 * that every change is told by, and a descriptor that gets pollers out of their polls; the latter
 * exists only while more threads than one wait in the library.
 */
#include "libpvm/lock.h"

#include "base/check.h"
#include "base/str.h"
#include "libpvm/task.h"

#include "pvm3.h"
#include "pvmtev.h"
#include "libpvm/data.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef PLATFORM_LINUX
#include <sys/eventfd.h>
#endif

enum { UNKICKED_POLL_NS = 50 * 1000 * 1000 }; /* of a poller that cannot be kicked */

struct lock_inside lock_inside;

/* Guarded by |mutex|, but for what says otherwise. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* on the monotonic clock */
    /* Who holds the mutex; also read without it: nobody but a thread itself writes its name. */
    _Atomic(struct lock_thread *) owner;
    struct client *client;
    struct lock_thread *poller; /* polls for all */
    unsigned polling;           /* polls under way, the poller's among them */
    unsigned sleepers;          /* wait on |changed| for news */
    unsigned closers;           /* wait on |changed| for polls to end: nobody begins one */
    uint64_t news;
    int kick[2]; /* read end, write end: the same one where there is eventfd; -1 = not there */
    bool is_kicked;
    bool is_fork_held; /* by lock_fork_prepare() */
    pthread_key_t leaving; /* its destructor tells of the end of a thread */
    bool has_leaving;
} lock = {.mutex = PTHREAD_MUTEX_INITIALIZER,
          .changed = PTHREAD_COND_INITIALIZER,
          .kick = {-1, -1}};

static struct lock_thread main_thread = {.is_main = true};
static _Thread_local struct lock_thread other_thread;
static _Thread_local struct lock_thread *this_thread; /* NULL = not seen yet */

/* ---- threads ---- */

static struct lock_thread *thread_meet(void)
{
    this_thread = &other_thread;
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

/* The mutex was taken. */
static void hold(struct lock_thread *me, unsigned depth)
{
    atomic_store_explicit(&lock.owner, me, memory_order_relaxed);
    lock_inside.is_held = true;
    lock_inside.depth = depth;
    client_tell(me);
}

/* The mutex is about to be given up. Returns how deep its holder was. */
static unsigned unhold(void)
{
    const unsigned depth = lock_inside.depth;
    lock_inside.depth = 0;
    lock_inside.is_held = false;
    atomic_store_explicit(&lock.owner, NULL, memory_order_relaxed);
    return depth;
}

static bool is_owner(const struct lock_thread *me)
{
    return atomic_load_explicit(&lock.owner, memory_order_relaxed) == me;
}

static void acquire(struct lock_thread *me, unsigned depth)
{
    pthread_mutex_lock(&lock.mutex);
    hold(me, depth);
}

void lock_enter_shared(void)
{
    struct lock_thread *me = lock_thread();
    if (is_owner(me)) {
        lock_inside.depth++;
        return;
    }
    /* A thread that is cancelled inside would take the lock or the others' poll with it. */
    if (me->entries++ == 0)
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &me->cancel_state);
    acquire(me, 1);
}

static void release(void)
{
    unhold();
    pthread_mutex_unlock(&lock.mutex);
}

void lock_leave_shared(void)
{
    struct lock_thread *me = lock_thread();
    release();
    if (me->entries > 0 && --me->entries == 0)
        pthread_setcancelstate(me->cancel_state, NULL);
}

/* Gives up whatever the caller has, held or alone. Returns how deep it was. */
static unsigned let_go(void)
{
    const unsigned depth = lock_inside.depth;
    if (lock_inside.is_held)
        release();
    else
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

unsigned lock_drop(void)
{
    return let_go();
}

void lock_take(unsigned depth)
{
    take_back(depth);
}

void lock_hold(void)
{
    if (!lock_inside.is_held)
        acquire(lock_thread(), lock_inside.depth);
}

/* The end of a thread: what is active is freed as its next pvm_recv() and pvm_initsend() would have.
 * Should another destructor call the library, the thread is seen anew, and this comes again. */
static void thread_leave(void *argument)
{
    struct lock_thread *thread = argument;
    if (thread == this_thread) {
        if (is_owner(thread)) /* pthread_exit() in a function that the library called */
            release();
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

/* On |changed|, at most until |deadline_ns|: false when that has come. The mutex is held, as a
 * thread's that is not inside. */
static bool wait_changed(int64_t deadline_ns)
{
    if (deadline_ns == INT64_MAX)
        return pthread_cond_wait(&lock.changed, &lock.mutex) == 0;
    const struct timespec until = {.tv_sec = (time_t)(deadline_ns / 1000000000),
                                   .tv_nsec = (long)(deadline_ns % 1000000000)};
    return pthread_cond_timedwait(&lock.changed, &lock.mutex, &until) == 0;
}

static void change(void)
{
    lock.news++;
    pthread_cond_broadcast(&lock.changed);
}

static void sleep_for_news(struct lock_thread *me, int64_t deadline_ns)
{
    const uint64_t seen = lock.news;
    const unsigned depth = unhold();
    lock.sleepers++;
    while (lock.news == seen && (lock.poller || lock.closers) && wait_changed(deadline_ns))
        continue;
    lock.sleepers--;
    hold(me, depth);
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
        pthread_cond_broadcast(&lock.changed);
}

void lock_wait_done(struct lock_wait *wait)
{
    if (!wait->is_poller)
        return;
    lock.poller = wait->outer;
    if (lock.sleepers)
        pthread_cond_broadcast(&lock.changed);
}

void lock_news_shared(void)
{
    if (lock.sleepers)
        change();
    if (lock.polling > lock_thread()->polls)
        kick();
}

void lock_wait_out(void)
{
    struct lock_thread *me = lock_thread();
    if (lock_inside.is_held && lock.polling > me->polls) {
        const unsigned depth = unhold();
        lock.closers++;
        while (lock.polling > me->polls) {
            kick();
            wait_changed(lock.kick[1] < 0 ? task_now_ns() + UNKICKED_POLL_NS : INT64_MAX);
        }
        lock.closers--;
        hold(me, depth);
    }
    if (lock.sleepers)
        change();
    if (lock.polling == 0)
        kick_close();
}

/* ---- fork, the beginning ---- */

static void cond_init(void)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&lock.changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

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
    main_thread.polls = 0;
    main_thread.is_known = false;
    kick_close();
    pthread_mutex_init(&lock.mutex, NULL);
    cond_init();
    unhold();
    lock.client = NULL;
    lock.poller = NULL;
    lock.polling = lock.sleepers = lock.closers = 0;
    lock.is_fork_held = false;
    if (depth > 0) /* the call that forked comes to its end in the child too */
        acquire(&main_thread, depth);
}

/* Before main(), or by the thread that loads the library later. */
__attribute__((constructor)) static void lock_start(void)
{
    this_thread = &main_thread;
    cond_init();
    for (size_t i = 0; i < LOCK_RESULTS; i++)
        arena_init(&main_thread.results[i]);
    lock.has_leaving = pthread_key_create(&lock.leaving, thread_leave) == 0;
    pthread_atfork(lock_fork_prepare, lock_fork_parent, lock_forked);
}
