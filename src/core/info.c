/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions about hosts and tasks: see the header. */
#include "core/info.h"

#include "core/early.h"
#include "core/wait.h"

enum { MICROSECONDS = 1000000 };

/* A question for one other host: the wait, or NULL after PvmNoMem was answered with |type|. */
static struct wait *ask_one(struct node *node, enum wait_kind kind, struct conn *conn,
                            uint32_t number, const struct host *host, enum message_type type)
{
    struct asker asker = {.conn = conn, .wait = number};
    struct wait *wait = wait_create(node, kind, asker);
    if (wait && wait_expect(node, wait, host->info.epoch, 0, 1))
        return wait;
    if (wait)
        wait_destroy(node, wait);
    struct message answer = {.type = type};
    if (type == TM_CLOCK)
        answer.tm_clock = (struct wire_tm_clock){.wait = number, .status = STATUS_NO_MEM};
    else
        answer.tm_done = (struct wire_tm_done){.wait = number, .status = STATUS_NO_MEM};
    node_answer(node, conn, &answer);
    return NULL;
}

/* ---- the table ---- */

void config_request(struct node *node, struct conn *conn, const struct message *message)
{
    struct message answer = {.type = TM_HOSTS, .tm_hosts = {.wait = message->tm_config.wait}};
    struct wire_host *hosts = arena_calloc(&node->scratch, node->hosts.count, sizeof(*hosts));
    size_t count = 0;
    if (!hosts)
        answer.tm_hosts.status = STATUS_NO_MEM;
    HOSTS_EACH(pos, following, &node->hosts) {
        if (hosts)
            hosts[count++] = HOST_OF(pos)->info;
    }
    answer.tm_hosts.hosts = (struct wire_host_list){.count = count, .items = hosts};
    node_answer(node, conn, &answer);
}

/* ---- lists of tasks ---- */

static struct wire_task describe(const struct node *node, const struct task *task)
{
    return (struct wire_task){
        .tid = task->tid,
        .parent = task->parent,
        .host_tid = tid_of_host(node->config.number),
        .flags = task_flags(task),
        .name = task->name,
        .pid = task->pid,
    };
}

/* Tasks of this host: all, or the one |where| names. -1 without memory. */
static int list_tasks(const struct node *node, uint32_t where, struct arena *arena,
                      struct wire_task_list *list)
{
    struct wire_task *items = arena_calloc(arena, node->tasks.count, sizeof(*items));
    size_t count = 0;
    if (!items)
        return -1;
    TASKS_EACH(pos, following, &node->tasks) {
        if (!(where & TID_LOCAL_MASK) || TASK_OF(pos)->tid == where)
            items[count++] = describe(node, TASK_OF(pos));
    }
    *list = (struct wire_task_list){.count = count, .items = items};
    return 0;
}

static void refuse_tasks(struct node *node, struct conn *conn, uint32_t number, int32_t status)
{
    struct message answer = {.type = TM_TASKLIST,
                             .tm_tasklist = {.wait = number, .status = status}};
    node_answer(node, conn, &answer);
}

/* Names live as long as the tasks they belong to; the answer may be made later. */
static int keep_own_tasks(struct node *node, struct wait *wait, struct wait_part *part,
                          uint32_t where)
{
    struct wire_task_list list;
    if (list_tasks(node, where, &wait->arena, &list) < 0)
        return -1;
    for (size_t i = 0; i < list.count; i++) {
        struct wire_task *task = (struct wire_task *)(uintptr_t)&list.items[i];
        task->name = arena_format(&wait->arena, "%s", task->name);
        if (!task->name)
            return -1;
    }
    part->tasks = list;
    part->is_done = true;
    wait->parts_open--;
    return 0;
}

static int ask_for_tasks(struct node *node, struct wait *wait, const struct host *host,
                         uint32_t where)
{
    struct wait_part *part = wait_expect(node, wait, host->info.epoch, 0, 0);
    if (!part)
        return -1;
    if (host->info.epoch == node->config.epoch)
        return keep_own_tasks(node, wait, part, where);
    struct message question = {.type = DM_TASKS,
                               .dm_tasks = {.wait = wait->number, .where = where}};
    node_send(node, host->info.epoch, &question);
    return 0;
}

void tasks_request(struct node *node, struct conn *conn, const struct message *message)
{
    uint32_t where = message->tm_tasks.where;
    struct asker asker = {.conn = conn, .wait = message->tm_tasks.wait};
    if (where && !host_by_tid(&node->hosts, where)) {
        refuse_tasks(node, conn, asker.wait, STATUS_NO_HOST);
        return;
    }
    struct wait *wait = wait_create(node, WAIT_TASKS, asker);
    int failed = !wait;
    HOSTS_EACH(pos, following, &node->hosts) {
        if (!failed && (!where || HOST_OF(pos)->info.number == tid_host_number(where)))
            failed = ask_for_tasks(node, wait, HOST_OF(pos), where);
    }
    if (wait && !failed) {
        wait_start(node, wait);
        return;
    }
    if (wait)
        wait_destroy(node, wait);
    refuse_tasks(node, conn, asker.wait, STATUS_NO_MEM);
}

void tasks_question(struct node *node, uint64_t peer, const struct message *message)
{
    struct message answer = {.type = DM_TASKLIST};
    struct wire_dm_tasklist *list = &answer.dm_tasklist;
    list->wait = message->dm_tasks.wait;
    if (list_tasks(node, message->dm_tasks.where, &node->scratch, &list->tasks) < 0)
        list->status = STATUS_NO_MEM;
    node_send(node, peer, &answer);
}

void tasks_answer(struct node *node, uint64_t peer, const struct message *message)
{
    struct wait_part *part;
    struct message kept;
    struct wait *wait = wait_find(node, message->dm_tasklist.wait, WAIT_TASKS, peer, &part);
    if (!wait)
        return;
    if (message_decode(node->current.data, node->current.length, &wait->arena, &kept) < 0)
        wait->status = STATUS_NO_MEM;
    else if (kept.dm_tasklist.status < 0)
        wait->status = kept.dm_tasklist.status;
    else
        part->tasks = kept.dm_tasklist.tasks;
    wait_answered(node, wait, part);
}

/* The tasks of a host that died meanwhile are left out (API-13). */
void tasklist_part_lost(struct node *node, struct wait *wait, struct wait_part *part)
{
    (void)node;
    (void)wait;
    (void)part;
}

void tasklist_finish(struct node *node, struct wait *wait)
{
    struct message answer = {.type = TM_TASKLIST};
    size_t total = 0;
    size_t at = 0;
    for (size_t i = 0; i < wait->part_count; i++)
        total += wait->parts[i].tasks.count;
    struct wire_task *items = arena_calloc(&wait->arena, total, sizeof(*items));
    for (size_t i = 0; items && i < wait->part_count; i++) {
        for (size_t j = 0; j < wait->parts[i].tasks.count; j++)
            items[at++] = wait->parts[i].tasks.items[j];
    }
    answer.tm_tasklist.wait = wait->asker.wait;
    answer.tm_tasklist.status = items ? wait->status : STATUS_NO_MEM;
    answer.tm_tasklist.tasks = (struct wire_task_list){.count = at, .items = items};
    node_answer(node, wait->asker.conn, &answer);
}

/* ---- does it live? ---- */

void status_part_lost(struct node *node, struct wait *wait, struct wait_part *part)
{
    (void)node;
    (void)part;
    wait->status = STATUS_HOST_FAIL;
}

void status_finish(struct node *node, struct wait *wait)
{
    node_answer_done(node, wait->asker.conn, wait->asker.wait, wait->status);
}

static int32_t own_pstat(const struct node *node, uint32_t tid)
{
    return task_find(&node->tasks, tid) ? STATUS_OK : STATUS_NO_TASK;
}

static void ask_pstat(struct node *node, struct conn *conn, uint32_t number, uint32_t tid)
{
    const struct host *host = host_by_tid(&node->hosts, tid);
    if (!host || host->info.epoch == node->config.epoch) {
        node_answer_done(node, conn, number, host ? own_pstat(node, tid) : STATUS_NO_TASK);
        return;
    }
    struct wait *wait = ask_one(node, WAIT_PSTAT, conn, number, host, TM_DONE);
    if (!wait)
        return;
    struct message question = {.type = DM_PSTAT, .dm_pstat = {.wait = wait->number, .tid = tid}};
    node_send(node, host->info.epoch, &question);
    wait_start(node, wait);
}

/* Whatever host could have been meant is in the table by now. */
static void pstat_again(struct node *node, struct command *command, struct message *answer)
{
    struct message barrier;
    (void)answer;
    if (!command->conn)
        return;
    if (message_decode(command->body.data, command->body.length, &node->scratch, &barrier) < 0)
        node_answer_done(node, command->conn, command->wait, STATUS_NO_MEM);
    else
        ask_pstat(node, command->conn, command->wait, barrier.cmd_barrier.subject);
}

void pstat_request(struct node *node, struct conn *conn, const struct message *message)
{
    uint32_t tid = message->tm_pstat.tid;
    uint32_t number = message->tm_pstat.wait;
    struct command_ask ask = {
        .conn = conn, .wait = number, .lane = COMMAND_SHORT, .finish = pstat_again};
    if (!tid_is_task(tid))
        node_answer_done(node, conn, number, STATUS_BAD_PARAM);
    else if (!early_may_come(node, tid) || early_ask(node, &ask, tid) < 0)
        ask_pstat(node, conn, number, tid);
}

static void answer_status(struct node *node, uint64_t peer, uint32_t number, int32_t status)
{
    struct message answer = {.type = DM_STATUS, .dm_status = {.wait = number, .status = status}};
    node_send(node, peer, &answer);
}

void pstat_question(struct node *node, uint64_t peer, const struct message *message)
{
    answer_status(node, peer, message->dm_pstat.wait, own_pstat(node, message->dm_pstat.tid));
}

void mstat_question(struct node *node, uint64_t peer, const struct message *message)
{
    answer_status(node, peer, message->dm_mstat.wait, STATUS_OK);
}

void status_answer(struct node *node, uint64_t peer, const struct message *message)
{
    struct wait_part *part;
    uint32_t number = message->dm_status.wait;
    struct wait *wait = wait_find(node, number, WAIT_PSTAT, peer, &part);
    if (!wait)
        wait = wait_find(node, number, WAIT_MSTAT, peer, &part);
    if (!wait)
        return;
    wait->status = MIN_OF(message->dm_status.status, 0);
    wait_answered(node, wait, part);
}

void mstat_request(struct node *node, struct conn *conn, const struct message *message)
{
    const char *name = message->tm_mstat.host;
    uint32_t number = message->tm_mstat.wait;
    bool is_here = str_equal(name, ".") || str_equal(name, node->config.name);
    const struct host *host = host_by_name(&node->hosts, name);
    if (!*name || is_here || !host) {
        int32_t status = !*name ? STATUS_BAD_PARAM : is_here ? STATUS_OK : STATUS_NO_HOST;
        node_answer_done(node, conn, number, status);
        return;
    }
    struct wait *wait = ask_one(node, WAIT_MSTAT, conn, number, host, TM_DONE);
    if (!wait)
        return;
    struct message question = {.type = DM_MSTAT, .dm_mstat = {.wait = wait->number}};
    node_send(node, host->info.epoch, &question);
    wait_start(node, wait);
}

/* ---- clocks ---- */

static void tell_clock(struct node *node, struct conn *conn, uint32_t number, int32_t status,
                       uint64_t clock_us)
{
    struct message answer = {.type = TM_CLOCK};
    answer.tm_clock = (struct wire_tm_clock){
        .wait = number,
        .status = status,
        .seconds = clock_us / MICROSECONDS,
        .microseconds = (uint32_t)(clock_us % MICROSECONDS),
    };
    node_answer(node, conn, &answer);
}

void hostsync_request(struct node *node, struct conn *conn, const struct message *message)
{
    uint32_t number = message->tm_hostsync.wait;
    const struct host *host = host_by_tid(&node->hosts, message->tm_hostsync.host_tid);
    if (!host || host->info.epoch == node->config.epoch) {
        tell_clock(node, conn, number, host ? STATUS_OK : STATUS_NO_HOST,
                   host ? node->wall_clock_us : 0);
        return;
    }
    struct wait *wait = ask_one(node, WAIT_CLOCK, conn, number, host, TM_CLOCK);
    if (!wait)
        return;
    struct message question = {.type = DM_CLOCK, .dm_clock = {.wait = wait->number}};
    node_send(node, host->info.epoch, &question);
    wait_start(node, wait);
}

void clock_question(struct node *node, uint64_t peer, const struct message *message)
{
    struct message answer = {.type = DM_CLOCKED};
    answer.dm_clocked = (struct wire_dm_clocked){
        .wait = message->dm_clock.wait,
        .seconds = node->wall_clock_us / MICROSECONDS,
        .microseconds = (uint32_t)(node->wall_clock_us % MICROSECONDS),
    };
    node_send(node, peer, &answer);
}

void clock_answer(struct node *node, uint64_t peer, const struct message *message)
{
    struct wait_part *part;
    struct wait *wait = wait_find(node, message->dm_clocked.wait, WAIT_CLOCK, peer, &part);
    if (!wait)
        return;
    wait->answer = *message;
    wait_answered(node, wait, part);
}

void clock_finish(struct node *node, struct wait *wait)
{
    const struct wire_dm_clocked *clock = &wait->answer.dm_clocked;
    tell_clock(node, wait->asker.conn, wait->asker.wait, wait->status,
               clock->seconds * MICROSECONDS + clock->microseconds);
}

/* ---- signals ---- */

static void signal_own(struct node *node, uint32_t tid, int32_t number)
{
    const struct task *task = task_find(&node->tasks, tid);
    if (!task || !task->pid)
        return;
    struct effect *effect = node_effect(node, EFFECT_CHILD_SIGNAL);
    effect->pid = task->pid;
    effect->signal = number;
}

/* Who is not there gets nothing, and nobody is told (API-34). */
void signal_request(struct node *node, struct conn *conn, const struct message *message)
{
    uint32_t tid = message->tm_signal.tid;
    const struct host *host = host_by_tid(&node->hosts, tid);
    (void)conn;
    if (!tid_is_task(tid) || !host)
        return;
    if (host->info.epoch == node->config.epoch) {
        signal_own(node, tid, message->tm_signal.signal);
        return;
    }
    struct message passed = {.type = DM_SIGNAL,
                             .dm_signal = {.tid = tid, .signal = message->tm_signal.signal}};
    node_send(node, host->info.epoch, &passed);
}

void signal_message(struct node *node, uint64_t peer, const struct message *message)
{
    (void)peer;
    signal_own(node, message->dm_signal.tid, message->dm_signal.signal);
}
