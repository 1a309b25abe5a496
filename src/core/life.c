/* SPDX-License-Identifier: BSD-3-Clause */
/* What the steps of a task's life mean to others: see the header. */
#include "core/life.h"

#include "core/child.h"
#include "core/member.h"
#include "core/mbox_request.h"
#include "core/mcast.h"
#include "core/notify.h"
#include "core/route.h"
#include "core/share.h"

/* A tid that a ghost still has is somebody's answer to come (promise 3). */
static bool is_taken(void *context, uint32_t tid)
{
    const struct node *node = context;
    return map_get(&node->senders, tid) != NULL;
}

struct task *life_begin(struct node *node, enum task_state state, const char *name, int32_t *status)
{
    struct task *task = task_create(&node->tasks, state, name, is_taken, node, status);
    if (!task)
        return NULL;
    if (map_put(&node->senders, task->tid, task->sender) == 0)
        return task;
    task_destroy(&node->tasks, task);
    *status = STATUS_NO_MEM;
    return NULL;
}

/* ---- ghosts ---- */

static void ghost_destroy(struct node *node, struct sender *sender)
{
    map_remove(&node->senders, sender->tid);
    node->ghost_count--;
    sender_destroy(sender);
}

void ghosts_trim(struct node *node)
{
    LIST_EACH(pos, following, &node->ghosts) {
        struct sender *sender = LIST_ENTRY(pos, struct sender, link);
        if (node->ghost_count <= GHOSTS_MAX)
            return;
        if (sender->flow_count == 0)
            ghost_destroy(node, sender);
    }
}

/* Oldest first; those with flows under way stay as long as they need. */
static void become_ghost(struct node *node, struct task *task)
{
    struct sender *sender = task->sender;
    task->sender = NULL;
    sender->has_ended = true;
    list_push_back(&node->ghosts, &sender->link);
    node->ghost_count++;
    ghosts_trim(node);
}

/* ---- what the living remember of the ended ---- */

enum { ENDS_PER_SWEEP = 1024 };

static bool is_gone(void *context, uint32_t receiver)
{
    const struct node *node = context;
    return node_is_own_tid(node, receiver) && tid_is_task(receiver) &&
           !task_find(&node->tasks, receiver);
}

/* A spawner that lives long writes to each of its children. Looking through all senders at every
 * end would cost more than the end; now and then costs next to nothing. */
static void sweep_senders(struct node *node)
{
    if (++node->ends_since_sweep < ENDS_PER_SWEEP)
        return;
    node->ends_since_sweep = 0;
    for (size_t i = 0; i < node->senders.count; i++)
        sender_forget_gone(node->senders.entries[i].value, is_gone, node);
}

/* ---- steps ---- */

static bool is_attached(enum task_state state)
{
    return state == TASK_CONNECTED || state == TASK_CLOSING;
}

/* The task is connected no more, whether or not its process lives: what it began will not be
 * finished, and nothing can be told to it. */
static void detach(struct node *node, struct task *task)
{
    struct conn *conn = task->conn;
    task->conn = NULL;
    timer_stop(node, &task->linger);
    if (conn) {
        conn->task = NULL;
        conn_update_pause(node, conn);
    }
    route_abort_open(node, task->sender);
    notify_forget_watcher(node, task->tid);
    children_update_pause(node, task->tid);
}

static void end(struct node *node, struct task *task)
{
    node_log(node, LOG_LEVEL_DEBUG, "task t%x: ended", task->tid);
    route_drop_pending(node, task);
    share_task_ended(node, task);
    notify_forget_watcher(node, task->tid);
    notify_task_ended(node, task);
    mbox_task_ended(node, task);
    sender_forget(node->own, task->tid);
    if (task->child)
        task->child->task = NULL;
    become_ghost(node, task);
    task_destroy(&node->tasks, task);
    sweep_senders(node);
}

void life_happens(struct node *node, struct task *task, enum task_happening happening)
{
    enum task_state before = task->state;
    enum task_state after = task_happens(task, happening);
    if (is_attached(before) && !is_attached(after))
        detach(node, task);
    if (after == TASK_CLOSING && before != TASK_CLOSING)
        timer_set(node, &task->linger, node->now_ns + LINGER_NS);
    if (after == TASK_ENDED)
        end(node, task);
}

void life_undo(struct node *node, struct task *task)
{
    if (task->conn) {
        /* A process that cannot be is no reason to keep one that is: it came with the cookie. */
        life_happens(node, task, TASK_LOSES_PROCESS);
        return;
    }
    task->state = TASK_ENDED;
    end(node, task);
}

/* A process that forked may leave its socket open in the other one, which is no task: as long as
 * nothing waits to be read (the connection is not paused) and nothing came for a while, that is the
 * end. */
void life_linger_timer(struct node *node, struct timer *timer)
{
    struct task *task = CONTAINER_OF(timer, struct task, linger);
    if (task->state != TASK_CLOSING || !task->conn)
        return;
    if (task->conn->is_paused || task->conn->pair_is_paused)
        timer_set(node, &task->linger, node->now_ns + LINGER_NS);
    else
        conn_close(node, task->conn, "its process is gone");
}

void life_fini(struct node *node)
{
    TASKS_EACH(pos, following, &node->tasks) {
        struct task *task = TASK_OF(pos);
        route_drop_pending(node, task);
        share_drop_waiting(task);
        notify_drop_remote(task);
        timer_stop(node, &task->linger);
        become_ghost(node, task);
        task_destroy(&node->tasks, task);
    }
    LIST_EACH(pos, following, &node->ghosts) {
        struct sender *sender = LIST_ENTRY(pos, struct sender, link);
        mcasts_drop(sender);
        ghost_destroy(node, sender);
    }
    map_fini(&node->senders);
}
