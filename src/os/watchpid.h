/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of a child process: by a descriptor of the process (pidfd) where Linux gives one, else by
 * SIGCHLD and a look at each known child. Other people's children are never waited for.
 */
#ifndef OS_WATCHPID_H
#define OS_WATCHPID_H

#include "base/log.h"
#include "os/loop.h"

#include <sys/types.h>

struct pid_watcher;
struct pid_watch;

/* NULL without memory. */
struct pid_watcher *pid_watcher_create(struct loop *loop, const struct log_sink *log);
void pid_watcher_destroy(struct pid_watcher *watcher);
/* Calls |ended| once, when |pid| has been reaped, with its wait status. NULL without memory. */
struct pid_watch *pid_watch_open(struct pid_watcher *watcher, pid_t pid,
                                 void (*ended)(void *context, int wait_status), void *context);
/* Also from inside |ended|. NULL is fine. A child that still runs is left unreaped. */
void pid_watch_close(struct pid_watch *watch);
/* For tests: use SIGCHLD from now on. */
void pid_watcher_refuse_pidfd(struct pid_watcher *watcher);

#endif
