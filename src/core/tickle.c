/* SPDX-License-Identifier: BSD-3-Clause */
/* The debugging door: see the header. */
#include "core/tickle.h"

#include "core/mbox_state.h"
#include "core/member.h"
#include "core/wait.h"

enum {
    TICKLE_HEAP = 0,
    TICKLE_HOSTS = 1,
    TICKLE_TASKS = 2,
    TICKLE_WAITS = 3,
    TICKLE_MAILBOXES = 4,
    TICKLE_GET_MASK = 5,
    TICKLE_SET_MASK = 6,
    TICKLE_FAIL_HOST = 8,
    TICKLE_COUNTERS = 9,
    TICKLE_RESULTS_MAX = 10
};

struct results {
    int32_t items[TICKLE_RESULTS_MAX];
    size_t count;
};

static void result(struct results *results, uint64_t value)
{
    if (results->count < TICKLE_RESULTS_MAX)
        results->items[results->count++] = (int32_t)(value & INT32_MAX);
}

static void log_hosts(const struct node *node)
{
    HOSTS_EACH(pos, following, &node->hosts) {
        const struct wire_host *info = &HOST_OF(pos)->info;
        node_log(node, LOG_LEVEL_INFO, "host %u \"%s\" %s speed %d dsig 0x%x%s%s", info->number,
                 info->name, info->arch, info->speed, info->signature,
                 log_is_voter(node->log, info->epoch) ? ", votes" : "",
                 info->epoch == node_master(node) ? ", master" : "");
    }
}

static void log_tasks(const struct node *node)
{
    TASKS_EACH(pos, following, &node->tasks) {
        const struct task *task = TASK_OF(pos);
        node_log(node, LOG_LEVEL_INFO, "task t%x \"%s\" pid %u parent t%x %s", task->tid,
                 task->name, task->pid, (uint32_t)task->parent, task_state_name(task->state));
    }
}

static void log_waits(const struct node *node)
{
    LIST_EACH(pos, following, &node->waits.all) {
        const struct wait *wait = LIST_ENTRY(pos, struct wait, link);
        node_log(node, LOG_LEVEL_INFO, "wait %u kind %d, %zu of %zu owe an answer", wait->number,
                 (int)wait->kind, wait->parts_open, wait->part_count);
    }
}

static void log_commands(const struct node *node, const struct list *commands, const char *state)
{
    LIST_EACH(pos, following, commands) {
        const struct command *command = LIST_ENTRY(pos, struct command, link);
        node_log(node, LOG_LEVEL_INFO, "request %llu for the log, of t%x, %zu bytes: %s",
                 (unsigned long long)command->id.number, command->order, command->body.length,
                 state);
    }
}

static void log_mailboxes(const struct node *node)
{
    const struct mboxes *mboxes = &node->mboxes;
    LIST_EACH(pos, following, &mboxes->classes) {
        const struct mbox_class *class = MBOX_CLASS_OF(pos);
        for (size_t i = 0; i < class->count; i++)
            node_log(node, LOG_LEVEL_INFO, "mailbox \"%s\" %d owner t%x flags 0x%x %zu bytes",
                     class->name, class->entries[i].index, class->entries[i].owner,
                     class->entries[i].flags, class->entries[i].body->length);
    }
    LIST_EACH(pos, following, &mboxes->waiters) {
        const struct mbox_waiter *waiter = MBOX_WAITER_OF(pos);
        node_log(node, LOG_LEVEL_INFO, "mailbox \"%s\" %d: t%x waits, flags 0x%x", waiter->name,
                 waiter->index, waiter->asker.tid, waiter->flags);
    }
    node_log(node, LOG_LEVEL_INFO, "mailboxes: %zu entries, %llu bytes counted",
             mboxes->entry_count, (unsigned long long)mboxes->bytes);
}

static void fail_host(struct node *node, uint32_t tid)
{
    const struct host *host = host_by_tid(&node->hosts, tid);
    if (!host || host->info.epoch == node->config.epoch)
        return;
    master_doom(node, host->info.epoch, true);
}

static void count(const struct node *node, struct results *results)
{
    result(results, node->counters.task_messages);
    result(results, node->counters.peer_messages);
    result(results, node->counters.task_malformed);
    result(results, node->counters.peer_malformed);
    result(results, node->counters.frames_dropped);
    result(results, node->counters.requests);
    result(results, node->tasks.count);
    result(results, node->waits.by_number.count);
    result(results, node->watches.count);
    result(results, node->queued_bytes);
}

static void perform(struct node *node, const struct wire_i32s *args, struct results *results)
{
    int32_t argument = args->count > 1 ? args->items[1] : 0;
    switch (args->items[0]) {
    case TICKLE_HEAP:
        node_log(node, LOG_LEVEL_INFO, "%llu buffers live",
                 (unsigned long long)buf_live_count());
        break;
    case TICKLE_HOSTS:
        log_hosts(node);
        break;
    case TICKLE_TASKS:
        log_tasks(node);
        break;
    case TICKLE_WAITS:
        log_waits(node);
        log_commands(node, &node->commands.queued, "not proposed yet");
        log_commands(node, &node->commands.open, "proposed");
        log_commands(node, &node->commands.waiting, "waits for a mailbox");
        break;
    case TICKLE_MAILBOXES:
        log_mailboxes(node);
        break;
    case TICKLE_GET_MASK:
        result(results, node->debug_mask);
        break;
    case TICKLE_SET_MASK:
        result(results, node->debug_mask);
        node->debug_mask = (uint32_t)argument;
        break;
    case TICKLE_FAIL_HOST:
        fail_host(node, (uint32_t)argument);
        break;
    case TICKLE_COUNTERS:
        count(node, results);
        break;
    default:
        break;
    }
}

void tickle_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct wire_tm_tickle *request = &message->tm_tickle;
    struct message answer = {.type = TM_TICKLED, .tm_tickled = {.wait = request->wait}};
    struct results results = {.count = 0};
    if (request->args.count < 1 || request->args.count > TICKLE_RESULTS_MAX)
        answer.tm_tickled.status = STATUS_BAD_PARAM;
    else
        perform(node, &request->args, &results);
    answer.tm_tickled.results = (struct wire_i32s){.count = results.count, .items = results.items};
    node_answer(node, conn, &answer);
}
