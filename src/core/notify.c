/* SPDX-License-Identifier: BSD-3-Clause */
/* Watches and notices: see the header. */
#include "core/notify.h"

#include "base/mem.h"
#include "core/early.h"
#include "core/member.h"
#include "core/route.h"

/* ---- the watcher's side ---- */

static void watch_destroy(struct node *node, struct watch *watch)
{
    list_remove(&watch->link);
    node->watches.count--;
    mem_free(watch);
}

static struct watch *watch_create(struct node *node, const struct task *task, int32_t what,
                                  const struct wire_tm_notify *request, uint32_t subject)
{
    struct watch *watch = mem_calloc(1, sizeof(*watch));
    if (!watch)
        return NULL;
    *watch = (struct watch){.what = what, .watcher = task->tid, .context = request->context,
                            .tag = request->tag, .subject = subject, .left = request->count};
    list_push_back(&node->watches.all, &watch->link);
    node->watches.count++;
    return watch;
}

/* Gives the notice of a task's or host's end; the watch is gone. */
static void watch_fire(struct node *node, struct watch *watch, uint64_t after)
{
    int32_t subject = (int32_t)watch->subject;
    uint32_t source = watch->what == NOTIFY_TASK_EXIT ? watch->subject : 0;
    struct watch fired = *watch;
    watch_destroy(node, watch);
    route_notice(node, fired.watcher, source, after, fired.context, fired.tag, &subject, 1);
}

/* All watches for the end of |subject|, of |watcher| alone when that is not 0. */
static void fire_task(struct node *node, uint32_t subject, uint32_t watcher, uint64_t after)
{
    LIST_EACH(pos, following, &node->watches.all) {
        struct watch *watch = LIST_ENTRY(pos, struct watch, link);
        if (watch->what == NOTIFY_TASK_EXIT && watch->subject == subject &&
            watch->watcher == watcher)
            watch_fire(node, watch, after);
    }
}

static bool is_watched(const struct node *node, uint32_t subject, uint32_t watcher)
{
    LIST_EACH(pos, following, &node->watches.all) {
        const struct watch *watch = LIST_ENTRY(pos, struct watch, link);
        if (watch->what == NOTIFY_TASK_EXIT && watch->subject == subject &&
            watch->watcher == watcher)
            return true;
    }
    return false;
}

/* Messages of |subject| that |watcher| may still be about to get: the count of what it sent. */
static uint64_t count_of(const struct node *node, uint32_t subject, uint32_t watcher)
{
    const struct sender *sender = map_get(&node->senders, subject);
    return sender ? sender_last(sender, watcher) : 0;
}

static void ask_host(struct node *node, const struct host *host, const struct watch *watch)
{
    struct message ask = {.type = DM_WATCH,
                          .dm_watch = {.subject = watch->subject, .watcher = watch->watcher}};
    node_send(node, host->info.epoch, &ask);
}

/* A host that is still not there will not come: who watches it, or a task of it, is told. */
static void not_come(struct node *node, struct command *command, struct message *answer)
{
    struct message barrier;
    (void)answer;
    if (message_decode(command->body.data, command->body.length, &node->scratch, &barrier) < 0)
        barrier.cmd_barrier.subject = 0; /* without memory all that waits is told */
    uint32_t subject = barrier.cmd_barrier.subject;
    LIST_EACH(pos, following, &node->watches.all) {
        struct watch *watch = LIST_ENTRY(pos, struct watch, link);
        if (watch->is_early && (!subject || watch->subject == subject))
            watch_fire(node, watch, 0);
    }
}

/* The subject's host is not in the table, but may be in somebody else's: a moment, then. False: it
 * cannot come, or no memory. */
static bool wait_for_host(struct node *node, struct watch *watch)
{
    struct command_ask ask = {.lane = COMMAND_SHORT, .finish = not_come};
    watch->is_early =
        early_may_come(node, watch->subject) && early_ask(node, &ask, watch->subject) == 0;
    return watch->is_early;
}

/* One question for each pair of subject and watcher. */
static bool was_asked(const struct node *node, const struct watch *watch)
{
    LIST_EACH(pos, following, &node->watches.all) {
        const struct watch *other = LIST_ENTRY(pos, struct watch, link);
        if (other != watch && !other->is_early && other->what == NOTIFY_TASK_EXIT &&
            other->subject == watch->subject && other->watcher == watch->watcher)
            return true;
    }
    return false;
}

void notify_early(struct node *node)
{
    LIST_EACH(pos, following, &node->watches.all) {
        struct watch *watch = LIST_ENTRY(pos, struct watch, link);
        const struct host *host = host_by_tid(&node->hosts, watch->subject);
        if (!watch->is_early || (!host && early_may_come(node, watch->subject)))
            continue;
        if (!host) {
            watch_fire(node, watch, 0);
            continue;
        }
        if (watch->what == NOTIFY_TASK_EXIT && !was_asked(node, watch))
            ask_host(node, host, watch);
        watch->is_early = false;
    }
}

/* Returns -1 without memory. */
static int watch_task(struct node *node, const struct task *task,
                      const struct wire_tm_notify *request, uint32_t subject)
{
    const struct host *host = host_by_tid(&node->hosts, subject);
    bool is_here = node_is_own_tid(node, subject);
    bool is_known = is_here ? task_find(&node->tasks, subject) != NULL : host != NULL;
    bool ask = !is_here && is_known && !is_watched(node, subject, task->tid);
    struct watch *watch = watch_create(node, task, NOTIFY_TASK_EXIT, request, subject);
    if (!watch)
        return -1;
    if (!tid_is_task(subject) || (!is_known && !wait_for_host(node, watch)))
        watch_fire(node, watch, count_of(node, subject, task->tid));
    else if (ask)
        ask_host(node, host, watch);
    return 0;
}

static int watch_host(struct node *node, const struct task *task,
                      const struct wire_tm_notify *request, uint32_t subject)
{
    struct watch *watch = watch_create(node, task, NOTIFY_HOST_DELETE, request, subject);
    if (!watch)
        return -1;
    if (!host_by_tid(&node->hosts, subject) && !wait_for_host(node, watch))
        watch_fire(node, watch, 0);
    return 0;
}

static bool is_same(const struct watch *watch, const struct task *task, int32_t what,
                    const struct wire_tm_notify *request)
{
    return watch->what == what && watch->watcher == task->tid &&
           watch->context == request->context && watch->tag == request->tag;
}

/* One registration for each (task, context, tag): a later call takes its place (NTF-4). */
static int watch_additions(struct node *node, const struct task *task,
                           const struct wire_tm_notify *request)
{
    LIST_EACH(pos, following, &node->watches.all) {
        struct watch *watch = LIST_ENTRY(pos, struct watch, link);
        if (is_same(watch, task, NOTIFY_HOST_ADD, request))
            watch_destroy(node, watch);
    }
    if (request->count == 0)
        return 0;
    return watch_create(node, task, NOTIFY_HOST_ADD, request, 0) ? 0 : -1;
}

/* Cancelled notices of an end are given out at once; others are only forgotten (NTF-6). */
static void cancel(struct node *node, const struct task *task, int32_t what,
                   const struct wire_tm_notify *request)
{
    LIST_EACH(pos, following, &node->watches.all) {
        struct watch *watch = LIST_ENTRY(pos, struct watch, link);
        if (!is_same(watch, task, what, request))
            continue;
        if (what == NOTIFY_HOST_ADD) {
            watch_destroy(node, watch);
            continue;
        }
        for (size_t i = 0; i < request->tids.count; i++) {
            if (request->tids.items[i] == watch->subject) {
                watch_fire(node, watch, 0);
                break;
            }
        }
    }
}

void notify_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct wire_tm_notify *request = &message->tm_notify;
    const struct task *task = conn->task;
    int32_t what = request->what & ~NOTIFY_CANCEL;
    int failed = 0;
    if (request->what & NOTIFY_CANCEL) {
        cancel(node, task, what, request);
        return;
    }
    if (what == NOTIFY_HOST_ADD)
        failed = watch_additions(node, task, request);
    for (size_t i = 0; !failed && i < request->tids.count; i++) {
        if (what == NOTIFY_TASK_EXIT)
            failed = watch_task(node, task, request, request->tids.items[i]);
        else if (what == NOTIFY_HOST_DELETE)
            failed = watch_host(node, task, request, request->tids.items[i]);
    }
    /* There is no answer that could say so, and a notice that never comes is worse. */
    if (failed)
        conn_close(node, conn, "no memory for what it wants to be told of");
}

void notify_ended(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_ended *ended = &message->dm_ended;
    const struct host *host = host_by_tid(&node->hosts, ended->subject);
    if (!host || host->info.epoch != peer)
        return;
    fire_task(node, ended->subject, ended->watcher, ended->after);
    struct sender *watcher = map_get(&node->senders, ended->watcher);
    if (watcher)
        sender_forget(watcher, ended->subject);
}

void notify_forget_watcher(struct node *node, uint32_t watcher)
{
    LIST_EACH(pos, following, &node->watches.all) {
        struct watch *watch = LIST_ENTRY(pos, struct watch, link);
        if (watch->watcher == watcher)
            watch_destroy(node, watch);
    }
}

/* ---- the subject's side ---- */

static void tell_ended(struct node *node, uint64_t peer, uint32_t subject, uint32_t watcher)
{
    struct message ended = {.type = DM_ENDED,
                            .dm_ended = {.subject = subject, .watcher = watcher,
                                         .after = count_of(node, subject, watcher)}};
    node_send(node, peer, &ended);
}

void notify_watch(struct node *node, uint64_t peer, const struct message *message)
{
    uint32_t subject = message->dm_watch.subject;
    uint32_t watcher = message->dm_watch.watcher;
    struct task *task = task_find(&node->tasks, subject);
    if (!task) {
        tell_ended(node, peer, subject, watcher);
        return;
    }
    LIST_EACH(pos, following, &task->watchers) {
        const struct remote_watch *known = LIST_ENTRY(pos, struct remote_watch, link);
        if (known->peer == peer && known->watcher == watcher)
            return;
    }
    struct remote_watch *watch = mem_calloc(1, sizeof(*watch));
    if (!watch) {
        node_fatal(node, "no memory for a watch");
        return;
    }
    watch->peer = peer;
    watch->watcher = watcher;
    list_push_back(&task->watchers, &watch->link);
}

void notify_drop_remote(struct task *task)
{
    LIST_EACH(pos, following, &task->watchers) {
        list_remove(pos);
        mem_free(LIST_ENTRY(pos, struct remote_watch, link));
    }
}

void notify_task_ended(struct node *node, struct task *task)
{
    LIST_EACH(pos, following, &node->watches.all) {
        struct watch *watch = LIST_ENTRY(pos, struct watch, link);
        if (watch->what == NOTIFY_TASK_EXIT && watch->subject == task->tid)
            watch_fire(node, watch, sender_last(task->sender, watch->watcher));
    }
    LIST_EACH(pos, following, &task->watchers) {
        const struct remote_watch *watch = LIST_ENTRY(pos, struct remote_watch, link);
        tell_ended(node, watch->peer, task->tid, watch->watcher);
    }
    notify_drop_remote(task);
}

void notify_own_exit(struct node *node, const struct task *task)
{
    fire_task(node, task->tid, task->tid, sender_last(task->sender, task->tid));
}

void notify_forget_peer(struct node *node, uint64_t peer)
{
    TASKS_EACH(pos, following, &node->tasks) {
        LIST_EACH(at, next, &TASK_OF(pos)->watchers) {
            struct remote_watch *watch = LIST_ENTRY(at, struct remote_watch, link);
            if (watch->peer != peer)
                continue;
            list_remove(at);
            mem_free(watch);
        }
    }
}

/* ---- hosts ---- */

/* The host first, then its tasks, as the original does (NTF-7). */
void notify_host_gone(struct node *node, const struct host *host)
{
    static const int32_t order[] = {NOTIFY_HOST_DELETE, NOTIFY_TASK_EXIT};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        LIST_EACH(pos, following, &node->watches.all) {
            struct watch *watch = LIST_ENTRY(pos, struct watch, link);
            if (watch->what == order[i] && tid_host_number(watch->subject) == host->info.number)
                watch_fire(node, watch, 0);
        }
    }
}

void notify_hosts_added(struct node *node, const struct hosts_change *change)
{
    size_t count = change->added_count;
    size_t filled = 0;
    int32_t *ints = mem_calloc(count + 1, sizeof(*ints));
    if (!ints) {
        node_fatal(node, "no memory for a notice");
        return;
    }
    LIST_EACH(pos, following, &change->added)
        ints[++filled] = (int32_t)tid_of_host(HOST_ADDED(pos)->info.number);
    ints[0] = (int32_t)filled;
    LIST_EACH(pos, following, &node->watches.all) {
        struct watch *watch = LIST_ENTRY(pos, struct watch, link);
        if (watch->what != NOTIFY_HOST_ADD)
            continue;
        route_notice(node, watch->watcher, 0, 0, watch->context, watch->tag, ints, filled + 1);
        if (watch->left > 0 && --watch->left == 0)
            watch_destroy(node, watch);
    }
    mem_free(ints);
}

void notify_fini(struct node *node)
{
    LIST_EACH(pos, following, &node->watches.all)
        watch_destroy(node, LIST_ENTRY(pos, struct watch, link));
}
