/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of this daemon, in order: see the header. */
#include "core/halt.h"

#include "core/add.h"
#include "core/child.h"
#include "core/member.h"

void node_stop(struct node *node, int32_t status)
{
    if (node->state == NODE_STOPPED)
        return;
    node->state = NODE_STOPPED;
    node_effect(node, EFFECT_STOP)->status = status;
}

static void signal_pid(struct node *node, uint32_t pid, int32_t number)
{
    if (!pid)
        return;
    struct effect *effect = node_effect(node, EFFECT_CHILD_SIGNAL);
    effect->pid = pid;
    effect->signal = number;
}

static void signal_children(struct node *node, int32_t number)
{
    for (size_t i = 0; i < node->children.count; i++) {
        const struct child *child = node->children.entries[i].value;
        signal_pid(node, child->pid, number);
    }
}

static void signal_tasks(struct node *node)
{
    TASKS_EACH(pos, following, &node->tasks) {
        const struct task *task = TASK_OF(pos);
        if (!task->child || task->child->pid != task->pid)
            signal_pid(node, task->pid, SIGNAL_TERM);
    }
    signal_children(node, SIGNAL_TERM);
}

void halt_begin(struct node *node, int32_t status, const char *why)
{
    struct message halt = {.type = DM_HALT};
    if (node->state == NODE_HALTING || node->state == NODE_STOPPED)
        return;
    node_log(node, LOG_LEVEL_INFO, "halting: %s", why);
    bool was_running = node->state == NODE_RUNNING;
    node->state = NODE_HALTING;
    node->stop_status = status;
    timer_stop(node, &node->timer);
    timer_init(&node->timer, TIMER_HALT);
    if (was_running && timer_set(node, &node->timer, node->now_ns + HALT_TASKS_NS) < 0)
        node->halt_killed = true;
    node->halt_hosts_until_ns = node->now_ns + HALT_HOSTS_NS;
    if (node_is_master(node)) {
        add_cancel(node);
        node_send_all(node, &halt);
    }
    signal_tasks(node);
}

/* Nobody waits for those who do not follow: the children are killed, here and by the shell. */
void halt_timer(struct node *node)
{
    if (!node->halt_killed) {
        node->halt_killed = true;
        signal_children(node, SIGNAL_KILL);
        if (node_is_master(node))
            timer_set(node, &node->timer, node->halt_hosts_until_ns);
        return;
    }
    node->halt_hosts_until_ns = node->now_ns;
}

static void say_goodbye(struct node *node)
{
    struct message goodbye = {.type = DM_GOODBYE};
    goodbye.dm_goodbye = (struct wire_dm_goodbye){.reason = node->stop_status, .text = "stopping"};
    if (!node_is_master(node))
        node_send(node, node_master(node), &goodbye);
}

void halt_check(struct node *node)
{
    if (node->state != NODE_HALTING)
        return;
    /* Only for children: the task that asked waits for the end of its connection, so for us. */
    if (node->children.count > 0 && !node->halt_killed)
        return;
    bool hosts_gone = node->peers.count == 0 || node->now_ns >= node->halt_hosts_until_ns;
    if (node_is_master(node) && !hosts_gone) {
        /* The deadline is for the hosts now. */
        node->halt_killed = true;
        timer_set(node, &node->timer, node->halt_hosts_until_ns);
        return;
    }
    say_goodbye(node);
    node_stop(node, node->stop_status);
}

/* There is no answer: whoever lives through the signal sees its connection end (API-16). */
void halt_request(struct node *node, struct conn *conn, const struct message *message)
{
    struct message halt = {.type = DM_HALT, .dm_halt = {.requester = conn->task->tid}};
    if (node_is_master(node))
        halt_begin(node, EXIT_STATUS_OK, "a task asked for it");
    else if (peer_find(node, node_master(node)))
        node_send(node, node_master(node), &halt);
    else
        node_answer_done(node, conn, message->tm_halt.wait, STATUS_SYS_ERR);
}

void halt_message(struct node *node, uint64_t peer, const struct message *message)
{
    (void)message;
    if (node_is_master(node) || peer == node_master(node))
        halt_begin(node, EXIT_STATUS_OK, node_is_master(node) ? "a host asked for it"
                                                              : "the master says so");
}

void halt_signal(struct node *node, const struct event *event)
{
    if (node->state == NODE_RUNNING)
        halt_begin(node, event->signal, "told by a signal");
    else
        node_stop(node, event->signal);
}
