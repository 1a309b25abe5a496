/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pvm_notify() (items NTF-1..NTF-6): kept at the watcher's daemon and at the subject's, each watch
 * ends in exactly one notice. A watch on a task of another host is one DM_WATCH for the pair
 * (subject, watcher), however often the watcher asked; the answer DM_ENDED says after which message
 * the notice may come.
 */
#ifndef CORE_NOTIFY_H
#define CORE_NOTIFY_H

#include "core/state.h"

enum notify_kind {
    NOTIFY_TASK_EXIT = 1,
    NOTIFY_HOST_DELETE = 2,
    NOTIFY_HOST_ADD = 3,
    NOTIFY_CANCEL = 256 /* a flag */
};

struct watch {
    struct list link;
    int32_t what;
    uint32_t watcher;
    uint32_t context;
    int32_t tag;
    uint32_t subject; /* task; host delete: the number as it was given */
    bool is_early;    /* the host of the subject may yet come: core/early.h */
    int32_t left;     /* host add: notices still to come, negative = without end */
};

/* At the subject: a daemon whose task |watcher| wants to know. */
struct remote_watch {
    struct list link;
    uint64_t peer;
    uint32_t watcher;
};

/* |task| is ending: its watchers, here and elsewhere, are told. */
void notify_task_ended(struct node *node, struct task *task);
/* |task| leaves in order and watches itself (NTF-2). */
void notify_own_exit(struct node *node, const struct task *task);
/* |host| left the table. */
void notify_host_gone(struct node *node, const struct host *host);
/* Hosts came into it. */
void notify_hosts_added(struct node *node, const struct hosts_change *change);
/* The table changed: watches of hosts that were yet to come. */
void notify_early(struct node *node);
/* |watcher| is no more, or left. */
void notify_forget_watcher(struct node *node, uint32_t watcher);
/* Watches that |peer| left at tasks of this host. */
void notify_forget_peer(struct node *node, uint64_t peer);
void notify_drop_remote(struct task *task);
void notify_fini(struct node *node);

/* TM_NOTIFY, DM_WATCH, DM_ENDED. */
void notify_request(struct node *node, struct conn *conn, const struct message *message);
void notify_watch(struct node *node, uint64_t peer, const struct message *message);
void notify_ended(struct node *node, uint64_t peer, const struct message *message);

#endif
