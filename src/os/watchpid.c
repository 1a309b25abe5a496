/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of a child: see the header. */
#include "os/watchpid.h"

#include "base/list.h"
#include "base/mem.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef PLATFORM_LINUX
#include <sys/syscall.h>
#endif

struct pid_watcher {
    struct loop *loop;
    const struct log_sink *log;
    struct list by_signal; /* watches without a descriptor */
    bool signal_on;
    bool no_pidfd;
};

struct pid_watch {
    struct pid_watcher *watcher;
    struct list link; /* in by_signal; alone otherwise */
    pid_t pid;
    int pidfd; /* -1 = by signal */
    struct loop_watch *watch;
    void (*ended)(void *context, int wait_status);
    void *context;
};

struct pid_watcher *pid_watcher_create(struct loop *loop, const struct log_sink *log)
{
    struct pid_watcher *watcher = mem_calloc(1, sizeof(*watcher));
    if (!watcher)
        return NULL;
    watcher->loop = loop;
    watcher->log = log;
    list_init(&watcher->by_signal);
#ifndef PLATFORM_LINUX
    watcher->no_pidfd = true;
#endif
    return watcher;
}

void pid_watcher_destroy(struct pid_watcher *watcher)
{
    mem_free(watcher);
}

void pid_watcher_refuse_pidfd(struct pid_watcher *watcher)
{
    watcher->no_pidfd = true;
}

/* Reaps |watch| if its process ended, and says so. */
static void try_reap(struct pid_watch *watch)
{
    int status;
    pid_t got;
    do
        got = waitpid(watch->pid, &status, WNOHANG);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return;
    if (got < 0) /* somebody else reaped it: how it ended is not known */
        status = 0;
    list_remove(&watch->link);
    loop_watch_close(watch->watch);
    watch->watch = NULL;
    watch->ended(watch->context, status);
}

static void child_signal(void *context, int number)
{
    struct pid_watcher *watcher = context;
    (void)number;
    /* |ended| may close any watch: walk a list of our own, from which a close also unlinks. */
    struct list look;
    list_init(&look);
    list_splice_back(&look, &watcher->by_signal);
    while (!list_is_empty(&look)) {
        struct pid_watch *watch = LIST_ENTRY(list_first(&look), struct pid_watch, link);
        list_remove(&watch->link);
        list_push_back(&watcher->by_signal, &watch->link);
        try_reap(watch);
    }
}

#if defined(PLATFORM_LINUX) && defined(SYS_pidfd_open)

static void pidfd_ready(void *context, int events)
{
    (void)events;
    try_reap(context);
}

static int watch_by_pidfd(struct pid_watch *watch)
{
    struct pid_watcher *watcher = watch->watcher;
    if (watcher->no_pidfd)
        return -1;
    watch->pidfd = (int)syscall(SYS_pidfd_open, watch->pid, 0); /* close-on-exec by itself */
    if (watch->pidfd < 0) {
        if (errno != EMFILE && errno != ENFILE) {
            watcher->no_pidfd = true;
            log_line(watcher->log, LOG_LEVEL_INFO,
                     "pidfd_open refused (%s): children are watched by SIGCHLD", strerror(errno));
        }
        return -1;
    }
    watch->watch = loop_watch_open(watcher->loop, watch->pidfd, pidfd_ready, watch);
    if (watch->watch) {
        loop_watch_set(watch->watch, LOOP_READABLE);
        return 0;
    }
    close(watch->pidfd);
    watch->pidfd = -1;
    return -1;
}

#else

static int watch_by_pidfd(struct pid_watch *watch)
{
    (void)watch;
    return -1;
}

#endif

struct pid_watch *pid_watch_open(struct pid_watcher *watcher, pid_t pid,
                                 void (*ended)(void *context, int wait_status), void *context)
{
    struct pid_watch *watch = mem_calloc(1, sizeof(*watch));
    if (!watch)
        return NULL;
    *watch = (struct pid_watch){
        .watcher = watcher, .pid = pid, .pidfd = -1, .ended = ended, .context = context};
    list_init(&watch->link);
    if (watch_by_pidfd(watch) == 0)
        return watch;
    if (!watcher->signal_on && loop_signal(watcher->loop, SIGCHLD, child_signal, watcher) < 0) {
        mem_free(watch);
        return NULL;
    }
    watcher->signal_on = true;
    list_push_back(&watcher->by_signal, &watch->link);
    /* It may have ended before the handler stood: the signal is then made by hand, once the loop
     * runs. */
    raise(SIGCHLD);
    return watch;
}

void pid_watch_close(struct pid_watch *watch)
{
    if (!watch)
        return;
    list_remove(&watch->link);
    loop_watch_close(watch->watch);
    if (watch->pidfd >= 0)
        close(watch->pidfd);
    mem_free(watch);
}
