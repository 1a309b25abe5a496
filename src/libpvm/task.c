/* SPDX-License-Identifier: BSD-3-Clause */
/* Enrolment, waiting and leaving: see the header. */
#include "libpvm/task.h"

#include "base/mem.h"
#include "base/str.h"
#include "libpvm/error.h"
#include "libpvm/find.h"
#include "libpvm/handler.h"
#include "libpvm/internal.h"
#include "libpvm/link.h"
#include "libpvm/lock.h"
#include "libpvm/pairs.h"
#include "libpvm/wait.h"

#include "pvm3.h"
#include "pvmtev.h"
#include "libpvm/data.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    ENROL_WAIT_S = 30,
    LOOKS_PER_PUMP = 256,      /* looks at shared memory alone */
    LOOK_QUEUED_MAX = 64,      /* who has so many messages waiting does not look for more */
    PUMP_EACH_MAX = 64,        /* messages of one pair before the next has its turn */
    PUMP_MAX = 4096,           /* in one go: a caller may have found its own long since */
    IDLE_NS = 200 * 1000 * 1000 /* of sleep, after which memory is given back */
};

static struct {
    struct client *client;
    unsigned looks;
    bool cookie_used; /* a cookie names one task: who enrols again is a new one (API-3) */
    bool is_fork_watched;
    bool was_lost;
    unsigned enrolments; /* begun: who waited through a change of it waited as another task */
    struct arena answers; /* of the last task_answer() */
} task;

int64_t task_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int task_timeout_ms(int64_t deadline_ns)
{
    if (deadline_ns == TASK_FOREVER)
        return -1;
    const int64_t left_ns = deadline_ns - task_now_ns();
    if (left_ns <= 0)
        return 0;
    const int64_t left_ms = (left_ns + 999999) / 1000000;
    return left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

/* A spawned task starts in the context of its spawner (API-60). */
static void context_inherit(void)
{
    const char *text = getenv("PVMCTX");
    if (text)
        pvmmyctx = (int)strtol(text, NULL, 16);
}

struct client *task_client(void)
{
    if (!task.client) {
        const struct client_config config = {.routes = pairs_routes(),
                                             .signature = client_signature_native()};
        task.client = client_create(&config);
        if (!task.client)
            return NULL;
        context_inherit();
        internal_start(task.client);
    }
    if (lock_is_main()) /* programs and tools write the variable; other threads have their own */
        client_setcontext(task.client, pvmmyctx);
    return task.client;
}

int task_tid(void)
{
    return task.client ? client_identity(task.client)->tid : 0;
}

int task_descriptor(void)
{
    const int shown = task_link.xport ? wait_show() : -1;
    if (shown < 0)
        return link_descriptor();
    if (pairs_glance.is_open)
        news_sleep();
    task_show();
    return shown;
}

int task_set_name(const char *name)
{
    if (task_link.xport)
        return PvmExists;
    char *copy = mem_strdup(name);
    if (!copy)
        return PvmNoMem;
    mem_free(pvmmytaskname);
    pvmmytaskname = copy;
    return 0;
}

/* The link is closed and everything that hung on it forgotten. Other threads may be asleep on its
 * descriptors: those go last. */
static void disconnect(void)
{
    struct xport *xport = task_link.xport;
    task_link.xport = NULL;
    const struct wait_fds fds = wait_end();
    pairs_leave();
    if (task.client)
        client_leave(task.client);
    internal_reset();
    data_refresh();
    lock_wait_out();
    wait_fds_close(fds);
    link_close(xport);
}

/* ---- taking in, sending ---- */

static int lost(void)
{
    disconnect();
    task.was_lost = true;
    return PvmSysErr;
}

bool task_was_lost(void)
{
    return task.was_lost;
}

/* 1, 0, or an error. */
static int pump_pairs(void)
{
    int came = 0, taken;
    do {
        taken = news_look(PUMP_EACH_MAX);
        if (taken < 0)
            return came ? 1 : taken;
        came += taken;
    } while (taken > 0 && came < PUMP_MAX);
    return came > 0;
}

/* With shared memory the socket has something only when it is said to. The word may be lost: some
 * looks are made for nothing. */
static bool is_socket_due(void)
{
    const bool is_said = pairs_glance.is_open && news_of_socket();
    return wait_socket_came() || is_said || !pairs_glance.is_open || wait_is_shown() ||
           ++task.looks % LOOKS_PER_PUMP == 0;
}

int task_pump(void)
{
    if (!task_link.xport)
        return PvmSysErr;
    int came = pairs_glance.is_open ? pump_pairs() : 0;
    if (came < 0)
        return came;
    if (is_socket_due()) {
        const int status = link_pump(task.client);
        if (status < 0)
            return status == PvmSysErr ? lost() : status;
        came |= status;
    }
    if (came)
        lock_news();
    const int status = handler_safe_point(task.client);
    return status < 0 ? status : came;
}

int task_look(int tid)
{
    if (!pairs_glance.is_open || wait_is_shown() || ++task.looks % LOOKS_PER_PUMP == 0)
        return MIN_OF(task_pump(), 0);
    int taken = tid > 0 ? news_look_at(tid, 1) : -1;
    if (taken < 0 && client_stats(task.client).messages_queued < LOOK_QUEUED_MAX) {
        taken = news_look(1);
        /* What was published before the message that was just found is older: a second look finds
         * it. */
        if (taken > 0)
            taken |= news_look(1);
    }
    if (taken > 0)
        lock_news();
    return handler_safe_point(task.client);
}

/* Sends what goes without waiting. 0 or an error. */
static int push(void)
{
    if (!task_link.xport)
        return PvmSysErr;
    const int status = link_push(task.client);
    if (status == 0)
        return 0;
    /* The daemon may have said more before it closed; then it is gone. */
    const int pumped = task_pump();
    return pumped < 0 ? pumped : lost();
}

int task_flush(void)
{
    if (client_out_is_empty(task.client) && !pairs_glance.has_work && task_link.xport)
        return 0;
    int status = push();
    while (status >= 0 && task_link.xport && !client_out_is_empty(task.client))
        status = task_wait(TASK_FOREVER);
    /* Who only sends would never learn that there is a better way. */
    if (status >= 0 && pairs_glance.is_open && news_exist(-1))
        status = task_pump();
    task_show();
    return status < 0 ? status : task_link.xport ? 0 : PvmSysErr;
}

void task_show(void)
{
    while (wait_is_shown()) {
        const bool is_waiting = client_stats(task.client).messages_queued > 0;
        wait_show_waiting(is_waiting);
        if (is_waiting || !pairs_glance.is_open)
            return;
        /* A ring that was forgotten just now may have been for something not seen yet. */
        news_sleep();
        if (!news_exist(-1) || task_pump() <= 0)
            return;
    }
}

/* ---- waiting ---- */

/* What other threads sleep on stays armed: senders ring as long as anybody sleeps. */
static void awake(void)
{
    if (pairs_glance.is_open && !lock_is_polled())
        news_awake();
}

/* Everything is ready for a sleep, and nothing came while it was made so. */
static bool may_sleep(void)
{
    if (wait_is_shown())
        wait_show_waiting(false);
    if (!pairs_glance.is_open)
        return true;
    news_sleep();
    if (!news_exist(-1))
        return true;
    awake();
    return false;
}

/* Sleeps for all threads, without the lock: 1; 0 = |deadline_ns| has come; -1 = what is done in
 * idle time is due. */
static int sleep_as(const struct wait_for *wait, int64_t deadline_ns)
{
    if (wait_sleep(wait))
        return 1;
    return deadline_ns == INT64_MAX || task_now_ns() < deadline_ns ? -1 : 0;
}

static bool is_same(unsigned enrolment)
{
    return task_link.xport && task.enrolments == enrolment;
}

/* What a sleep was followed by: 1 = something may have come, 0, or an error. */
static int after_sleep(int ready, uint64_t began)
{
    awake();
    if (ready < 0 && pairs_glance.is_open)
        news_idle();
    if (ready > 0)
        wait_learn(began);
    const int status = push();
    return status < 0 ? status : task_pump();
}

/* Spinning found something: most often the message that is waited for, and nothing else. */
static int after_spin(int tid)
{
    const int taken = tid > 0 ? news_look_at(tid, 1) : news_look(1);
    if (taken <= 0) {
        const int status = task_pump();
        return status < 0 ? status : 1;
    }
    lock_news();
    const int status = handler_safe_point(task.client);
    return status < 0 ? status : 1;
}

int task_wait_for(int tid, int64_t deadline_ns)
{
    if (!task_link.xport)
        return PvmSysErr;
    const bool wants_write = !client_out_is_empty(task.client);
    const uint64_t began = wait_moment();
    if (!wants_write && pairs_glance.is_open && wait_spin(tid))
        return after_spin(tid);
    if (!may_sleep()) {
        const int status = task_pump();
        return status < 0 ? status : 1;
    }
    const bool may_idle = pairs_glance.is_open && news_has_idle_work();
    const int64_t idle_ns = may_idle ? task_now_ns() + IDLE_NS : INT64_MAX;
    const unsigned enrolment = task.enrolments;
    struct wait_for wait = {.wants_write = wants_write};
    wait_prepare(&wait);
    struct lock_wait lock;
    int status = 0;
    if (lock_wait_begin(&lock, deadline_ns, wants_write)) {
        wait.kick = lock.kick;
        wait.deadline_ns = MIN_OF(lock.deadline_ns, idle_ns);
        const int ready = sleep_as(&wait, lock.deadline_ns);
        lock_wait_end(&lock);
        status = is_same(enrolment) ? after_sleep(ready, began) : PvmSysErr;
        lock_wait_done(&lock);
    }
    /* Another thread may have left meanwhile, and even come back. */
    if (status == 0 && !is_same(enrolment))
        return PvmSysErr;
    if (status != 0)
        return status;
    return deadline_ns == TASK_FOREVER || task_now_ns() < deadline_ns;
}

int task_wait(int64_t deadline_ns)
{
    return task_wait_for(-1, deadline_ns);
}

/* ---- requests ---- */

static int answer_until(int wait, struct message *answer, int64_t deadline_ns)
{
    int status = task_flush();
    arena_reset(&task.answers);
    while (status >= 0) {
        status = client_answer(task.client, wait, &task.answers, answer);
        if (status != 0) {
            task_show();
            return status < 0 ? status : 0;
        }
        status = task_wait(deadline_ns);
        if (status == 0 && deadline_ns != TASK_FOREVER) {
            client_forget(task.client, wait);
            return PvmSysErr;
        }
    }
    client_forget(task.client, wait);
    return status;
}

int task_answer(int wait, struct message *answer)
{
    return wait < 0 ? wait : answer_until(wait, answer, TASK_FOREVER);
}

int task_done(int wait)
{
    struct message answer;
    const int status = task_answer(wait, &answer);
    if (status < 0)
        return status;
    return answer.type == TM_DONE ? answer.tm_done.status : PvmBadMsg;
}

/* ---- enrolment ---- */

/* A child of fork() is not enrolled: the link belongs to its parent (decision D14). Only this
 * process' copies of the descriptors are closed; its memory may be half changed and is not
 * touched. */
static void forked(void)
{
    if (task_link.xport)
        close(link_descriptor());
    task_link = (struct link){0};
    wait_fds_close(wait_end());
    pairs_forked();
    task.client = NULL;
    pvmmytid = -1;
    pvmmyupid = -1;
}

static uint64_t cookie(void)
{
    const char *text = getenv("PVMEPID");
    return text && !task.cookie_used ? strtoull(text, NULL, 0) : 0;
}

/* On systems that say so: who listens at the other end. 0 = one of us, or unknown. */
static int check_peer(int descriptor)
{
#ifdef PLATFORM_LINUX
    struct ucred peer;
    socklen_t length = sizeof(peer);
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
        peer.uid != geteuid())
        return -1;
#else
    (void)descriptor;
#endif
    return 0;
}

static int connect_daemon(void)
{
    struct find find;
    find_daemon(&find);
    if (find.count == 0)
        note("%s", find.error);
    for (size_t i = 0; i < find.count; i++) {
        struct xport *xport = xport_unix_connect(find.paths[i]);
        if (!xport) {
            if (i + 1 == find.count)
                note("%s: %s", find.paths[i], strerror(errno));
            continue;
        }
        if (check_peer(xport->ops->descriptor(xport)) < 0) {
            note("%s: the daemon there belongs to another user", find.paths[i]);
            xport->ops->close(xport);
            continue;
        }
        task_link.xport = xport;
        task.enrolments++;
        wait_begin(link_descriptor());
        return 0;
    }
    return PvmSysErr;
}

/* Says who we are and waits for the daemon's word. */
static int introduce(void)
{
    const int64_t deadline_ns = task_now_ns() + (int64_t)ENROL_WAIT_S * 1000000000;
    int status = client_enrol(task.client, (uint32_t)getpid(), cookie(), pvmmytaskname);
    if (status == 0)
        status = push();
    const char *error = "";
    while (status >= 0) {
        status = client_enrolled(task.client, &error);
        if (status != 0)
            break;
        status = task_wait(deadline_ns);
        if (status == 0) {
            note("the daemon does not answer");
            return PvmSysErr;
        }
    }
    if (status < 0 && *error)
        note("the daemon refused: %s", error);
    return status;
}

/* Another thread is about it. */
static int enrolled_by_other(void)
{
    int status = 0;
    while (status >= 0 && task_link.xport && task_tid() == 0)
        status = task_wait(TASK_FOREVER);
    return task_tid() != 0 ? 0 : PvmSysErr;
}

int task_enrol(void)
{
    if (task_link.xport)
        return task_tid() != 0 ? 0 : enrolled_by_other();
    struct client *client = task_client();
    if (!client)
        return PvmNoMem;
    pvmmyupid = (int)getpid();
    if (!task.is_fork_watched) {
        arena_init(&task.answers);
        task.is_fork_watched = pthread_atfork(NULL, NULL, forked) == 0;
    }
    int status = connect_daemon();
    if (status == 0)
        status = introduce();
    if (status < 0) {
        disconnect();
        return status == PvmBadVersion || status == PvmNoMem ? status : PvmSysErr;
    }
    task.cookie_used = true;
    task.was_lost = false;
    data_refresh();
    return 0;
}

/* A handler that interrupted a call in its middle can only hang up; the call finds the link
 * lost. */
void task_leave(void)
{
    if (!task_link.xport)
        return;
    if (lock_is_nested()) {
        shutdown(link_descriptor(), SHUT_RDWR);
        return;
    }
    client_own_bodies(task.client);
    const unsigned enrolment = task.enrolments;
    struct message request = {.type = TM_EXIT};
    const int wait = client_request(task.client, &request);
    if (wait > 0)
        task_done(wait);
    if (is_same(enrolment)) /* two threads may leave at once */
        disconnect();
}
