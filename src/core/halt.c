/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of this daemon, in order: see the header. */
#include "core/halt.h"

#include "core/add.h"
#include "core/child.h"
#include "core/leave.h"
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

static void set_timer(struct node *node, uint64_t at_ns)
{
    if (timer_set(node, &node->timer, at_ns) < 0)
        node->halting.tasks_are_killed = true;
}

void halt_begin(struct node *node, enum halt_kind kind, int32_t status, const char *why)
{
    struct message halt = {.type = DM_HALT, .dm_halt = {.order = 1}};
    struct halting *halting = &node->halting;
    if (node->state == NODE_STOPPED || node->state == NODE_LOST)
        return;
    if (node->state == NODE_HALTING) {
        /* The host that was to go alone is told that all go. */
        if (halting->kind == HALT_LEAVES && kind == HALT_TOLD)
            halting->kind = HALT_TOLD;
        return;
    }
    node_log(node, LOG_LEVEL_INFO, "halting: %s", why);
    bool was_running = node->state == NODE_RUNNING;
    node->state = NODE_HALTING;
    *halting = (struct halting){.kind = kind, .status = status};
    halting->until_ns = node->now_ns + HALT_HOSTS_NS;
    if (kind == HALT_LEAVES)
        halting->until_ns += HALT_TASKS_NS;
    timer_stop(node, &node->timer);
    timer_init(&node->timer, TIMER_HALT);
    if (was_running)
        set_timer(node, node->now_ns + HALT_TASKS_NS);
    add_cancel(node);
    if (kind == HALT_SAYS)
        node_send_all(node, &halt);
    signal_tasks(node);
}

bool halt_is_for_all(const struct node *node)
{
    return node->state == NODE_HALTING && node->halting.kind != HALT_LEAVES;
}

/* The master was to end all, and does not: it is dead, or there is none. */
static void say_it_ourselves(struct node *node)
{
    if (node->halting.is_asked)
        halt_begin(node, HALT_SAYS, EXIT_STATUS_OK, "a task asked for it, and no master answers");
}

/* Nobody waits for those who do not follow: the children are killed, here and by the shell. */
void halt_timer(struct node *node)
{
    struct halting *halting = &node->halting;
    if (node->state != NODE_HALTING) {
        say_it_ourselves(node);
        return;
    }
    if (!halting->tasks_are_killed) {
        halting->tasks_are_killed = true;
        signal_children(node, SIGNAL_KILL);
        if (halting->kind != HALT_TOLD)
            set_timer(node, halting->until_ns);
        return;
    }
    halting->until_ns = node->now_ns;
}

/* Only for children: the task that asked waits for the end of its connection, so for us. */
static bool tasks_are_done(const struct node *node)
{
    return node->children.count == 0 || node->halting.tasks_are_killed;
}

static bool others_are_done(struct node *node)
{
    struct message goodbye = {.type = DM_GOODBYE};
    switch (node->halting.kind) {
    case HALT_SAYS:
        return node->peers.count == 0;
    case HALT_LEAVES:
        return leave_is_done(node);
    case HALT_TOLD:
        goodbye.dm_goodbye =
            (struct wire_dm_goodbye){.reason = node->halting.status, .text = "stopping"};
        node_send(node, node->halting.told, &goodbye);
        return true;
    }
    return true;
}

void halt_check(struct node *node)
{
    struct halting *halting = &node->halting;
    if (node->state != NODE_HALTING || !tasks_are_done(node))
        return;
    if (others_are_done(node) || node->now_ns >= halting->until_ns) {
        node_stop(node, halting->status);
        return;
    }
    /* The deadline is for the hosts now. */
    halting->tasks_are_killed = true;
    set_timer(node, halting->until_ns);
}

/* There is no answer: whoever lives through the signal sees its connection end (API-16). */
void halt_request(struct node *node, struct conn *conn, const struct message *message)
{
    struct message halt = {.type = DM_HALT};
    uint64_t master = node_master(node);
    (void)conn;
    (void)message;
    if (node->state == NODE_HALTING || node->halting.is_asked)
        return;
    if (!master || master == node->config.epoch) {
        halt_begin(node, HALT_SAYS, EXIT_STATUS_OK, "a task asked for it");
        return;
    }
    node->halting.is_asked = true;
    timer_init(&node->timer, TIMER_HALT);
    if (timer_set(node, &node->timer, node->now_ns + HALT_ASK_NS) < 0)
        say_it_ourselves(node);
    else
        node_send(node, master, &halt);
}

void halt_message(struct node *node, uint64_t peer, const struct message *message)
{
    bool is_order = message->dm_halt.order != 0;
    /* Two say so to each other: one of them waits for the other. */
    if (node->state == NODE_HALTING && is_order && peer > node->config.epoch)
        node->halting.kind = HALT_TOLD;
    halt_begin(node, is_order ? HALT_TOLD : HALT_SAYS, EXIT_STATUS_OK,
               is_order ? "another host says so" : "a host asked for it");
    if (is_order && node->halting.kind == HALT_TOLD)
        node->halting.told = peer;
}

void halt_signal(struct node *node, const struct event *event)
{
    if (node->state == NODE_RUNNING)
        halt_begin(node, HALT_LEAVES, event->signal, "told by a signal");
    else
        node_stop(node, event->signal);
}
