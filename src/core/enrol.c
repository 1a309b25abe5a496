/* SPDX-License-Identifier: BSD-3-Clause */
/* Tasks come and leave: see the header. */
#include "core/enrol.h"

#include "core/child.h"
#include "core/life.h"
#include "core/notify.h"
#include "core/route.h"
#include "core/share.h"

static void refuse(struct node *node, struct conn *conn, int32_t status, const char *why)
{
    struct message answer = {.type = TM_ENROLLED};
    answer.tm_enrolled = (struct wire_tm_enrolled){
        .status = status, .error = why, .version = PROTOCOL_TASK_VERSION};
    node_answer(node, conn, &answer);
    conn_close(node, conn, why);
}

static const char *wrong_version(struct node *node, uint32_t version)
{
    const char *words = arena_format(&node->scratch,
                                     "the program's library speaks version %u of the task "
                                     "protocol, "
                                     "this daemon version %u", version, PROTOCOL_TASK_VERSION);
    return words ? words : "the program's library speaks another version of the task protocol";
}

static void answer_enrolled(struct node *node, struct conn *conn, const struct task *task)
{
    struct message answer = {.type = TM_ENROLLED};
    answer.tm_enrolled = (struct wire_tm_enrolled){
        .version = PROTOCOL_TASK_VERSION,
        .tid = task->tid,
        .parent = task->parent ? task->parent : STATUS_NO_PARENT,
        .sinks = {.count = ARRAY_LEN(task->sinks), .items = task->sinks},
        .signature = node->config.signature,
        .host_name = node->config.name,
        .daemon_tid = node_daemon_tid(node),
        .share_index = conn->share_index,
    };
    node_answer(node, conn, &answer);
}

/* The task that waits for this process, or a new one. */
static struct task *find_or_begin(struct node *node, const struct wire_tm_enrol *enrol,
                                  int32_t *status)
{
    struct task *task = task_find_cookie(&node->tasks, enrol->cookie);
    return task ? task : life_begin(node, TASK_STARTED, enrol->name, status);
}

void enrol_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct wire_tm_enrol *enrol = &message->tm_enrol;
    int32_t status = STATUS_OK;
    if (conn->task) {
        conn_close(node, conn, "it enrolled twice");
        return;
    }
    if (enrol->version != PROTOCOL_TASK_VERSION) {
        refuse(node, conn, STATUS_BAD_VERSION, wrong_version(node, enrol->version));
        return;
    }
    if (node->state != NODE_RUNNING) {
        refuse(node, conn, STATUS_SYS_ERR, node->state == NODE_HALTING
                                               ? "the virtual machine is halting"
                                               : "this host is not yet part of a virtual machine");
        return;
    }
    struct task *task = find_or_begin(node, enrol, &status);
    if (!task) {
        refuse(node, conn, status, status == STATUS_NO_MEM ? "no memory" : "no room for a task");
        return;
    }
    if (conn->pid == 0)
        conn->pid = enrol->pid;
    task->cookie = 0;
    task->is_wrapped = task->child && task->child->pid && conn->pid != task->child->pid;
    task->pid = conn->pid;
    task->conn = conn;
    conn->task = task;
    life_happens(node, task, TASK_ENROLS);
    node_log(node, LOG_LEVEL_DEBUG, "task t%x: enrolled, pid %u", task->tid, task->pid);
    share_begin(node, conn, enrol->signature);
    answer_enrolled(node, conn, task);
    route_flush_pending(node, task);
    share_task_enrolled(node, task);
}

void exit_request(struct node *node, struct conn *conn, const struct message *message)
{
    share_end(node, conn);
    notify_own_exit(node, conn->task);
    life_happens(node, conn->task, TASK_LEAVES);
    node_answer_done(node, conn, message->tm_exit.wait, STATUS_OK);
}

static void redirect(struct node *node, struct child *child, const struct wire_sink *sink)
{
    child->sink = *sink;
    if (child->is_paused) {
        child->is_paused = false;
        node_effect(node, EFFECT_CHILD_PAUSE)->ticket = child->ticket;
    }
    if (sink->tid > 0)
        children_update_pause(node, (uint32_t)sink->tid);
}

void setsinks_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct wire_tm_setsinks *request = &message->tm_setsinks;
    struct task *task = conn->task;
    for (size_t i = 0; i < request->sinks.count && i < ARRAY_LEN(task->sinks); i++)
        task->sinks[i] = request->sinks.items[i];
    if (task->child && request->sinks.count)
        redirect(node, task->child, &task->sinks[0]);
    node_answer_done(node, conn, request->wait, STATUS_OK);
}
