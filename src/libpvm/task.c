/* SPDX-License-Identifier: BSD-3-Clause */
/* Enrolment, waiting and leaving: see the header. */
#include "libpvm/task.h"

#include "base/mem.h"
#include "base/str.h"
#include "libpvm/error.h"
#include "libpvm/find.h"
#include "libpvm/handler.h"
#include "libpvm/internal.h"
#include "libpvm/lock.h"
#include "libpvm/xport.h"

#include "pvm3.h"
#include "pvmtev.h"
#include "libpvm/data.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SEND_PIECES = 64, ENROL_WAIT_S = 30 };

static struct {
    struct client *client;
    struct xport *xport; /* NULL = no daemon */
    struct frame held;   /* came, and there was no memory to take it in */
    bool has_held;
    bool cookie_used; /* a cookie names one task: who enrols again is a new one (API-3) */
    bool is_fork_watched;
    bool was_lost;
    struct arena answers; /* of the last task_answer() */
} task;

int64_t task_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
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
        const struct client_config config = {.signature = client_signature_native()};
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
    return task.xport ? task.xport->ops->descriptor(task.xport) : -1;
}

int task_set_name(const char *name)
{
    if (task.xport)
        return PvmExists;
    char *copy = mem_strdup(name);
    if (!copy)
        return PvmNoMem;
    mem_free(pvmmytaskname);
    pvmmytaskname = copy;
    return 0;
}

/* The link is closed and everything that hung on it forgotten. */
static void disconnect(void)
{
    if (task.xport)
        task.xport->ops->close(task.xport);
    task.xport = NULL;
    if (task.has_held)
        frame_drop(&task.held);
    task.has_held = false;
    if (task.client)
        client_leave(task.client);
    internal_reset();
    data_refresh();
}

/* ---- moving frames ---- */

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

int task_pump(void)
{
    /* What came before a loss is looked at before the loss is: an answer, a refusal, a message. */
    for (bool is_news = false;; is_news = true) {
        if (!task.xport)
            return PvmSysErr;
        if (!task.has_held) {
            const enum xport_result got = task.xport->ops->receive(task.xport, &task.held);
            if (got == XPORT_AGAIN)
                return handler_safe_point(task.client);
            if (got == XPORT_NO_MEMORY)
                return PvmNoMem;
            if (got != XPORT_OK)
                return is_news ? handler_safe_point(task.client) : lost();
            task.has_held = true;
        }
        const int status = client_feed(task.client, &task.held);
        if (status < 0)
            return status;
        frame_drop(&task.held);
        task.has_held = false;
    }
}

/* Sends what goes without waiting. 0 or an error. */
static int push(void)
{
    while (task.xport && !client_out_is_empty(task.client)) {
        struct client_piece pieces[SEND_PIECES];
        size_t sent;
        const size_t count = client_out_pieces(task.client, pieces, SEND_PIECES);
        const enum xport_result result = task.xport->ops->send(task.xport, pieces, count, &sent);
        if (result == XPORT_AGAIN)
            return 0;
        if (result != XPORT_OK) {
            /* The daemon may have said more before it closed; then it is gone. */
            const int status = task_pump();
            return status < 0 ? status : lost();
        }
        client_out_sent(task.client, sent);
    }
    return task.xport ? 0 : PvmSysErr;
}

static int poll_timeout_ms(int64_t deadline_ns)
{
    if (deadline_ns == TASK_FOREVER)
        return -1;
    const int64_t left_ns = deadline_ns - task_now_ns();
    if (left_ns <= 0)
        return 0;
    const int64_t left_ms = (left_ns + 999999) / 1000000;
    return left_ms > INT32_MAX ? INT32_MAX : (int)left_ms;
}

/* Until the link can be read, or written when something waits to be sent. 1, or 0 = the time is
 * over. */
static int poll_link(int64_t deadline_ns)
{
    for (;;) {
        if (!task.xport)
            return 1;
        struct pollfd poller = {.fd = task_descriptor(), .events = POLLIN};
        if (!client_out_is_empty(task.client))
            poller.events |= POLLOUT;
        const int ready = poll(&poller, 1, poll_timeout_ms(deadline_ns));
        if (ready > 0)
            return 1;
        if (ready == 0 && deadline_ns != TASK_FOREVER && task_now_ns() >= deadline_ns)
            return 0;
        /* A signal does not end a wait (CONV-8); its handler may have left the machine, though. */
    }
}

int task_wait(int64_t deadline_ns)
{
    if (!task.xport)
        return PvmSysErr;
    const int ready = poll_link(deadline_ns);
    if (!task.xport)
        return PvmSysErr;
    int status = push();
    if (status == 0)
        status = task_pump();
    return status < 0 ? status : ready;
}

int task_flush(void)
{
    int status = push();
    while (status >= 0 && task.xport && !client_out_is_empty(task.client))
        status = task_wait(TASK_FOREVER);
    return status < 0 ? status : task.xport ? 0 : PvmSysErr;
}

/* ---- requests ---- */

static int answer_until(int wait, struct message *answer, int64_t deadline_ns)
{
    int status = task_flush();
    arena_reset(&task.answers);
    while (status >= 0) {
        status = client_answer(task.client, wait, &task.answers, answer);
        if (status != 0)
            return status < 0 ? status : 0;
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
 * process' copy of the descriptor is closed. */
static void forked(void)
{
    if (task.xport)
        close(task_descriptor());
    task.xport = NULL;
    task.has_held = false;
    task.client =
        NULL; /* its memory may be half changed; the child has a copy and does not touch it */
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
        task.xport = xport;
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

int task_enrol(void)
{
    if (task.xport)
        return 0;
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

void task_leave(void)
{
    if (!task.xport)
        return;
    struct message request = {.type = TM_EXIT};
    const int wait = client_request(task.client, &request);
    if (wait > 0)
        task_done(wait);
    disconnect();
}
