/* SPDX-License-Identifier: BSD-3-Clause */
/* Processes this daemon started, and what they print: see the header. */
#include "core/child.h"

#include "base/mem.h"
#include "core/flow.h"
#include "core/life.h"
#include "core/member.h"
#include "core/route.h"
#include "core/spawn.h"

#include <string.h>

#define TAG_OUTPUT ((int32_t)UINT32_C(0x80030005)) /* TC_OUTPUT, CST-17 */

struct child *child_create(struct node *node, struct task *task)
{
    struct child *child = mem_calloc(1, sizeof(*child));
    if (!child)
        return NULL;
    child->ticket = node_ticket(node);
    child->tid = task->tid;
    child->parent = task->parent;
    child->sink = task->sinks[0];
    if (map_put(&node->children, child->ticket, child) < 0) {
        mem_free(child);
        return NULL;
    }
    child->task = task;
    task->child = child;
    return child;
}

void child_destroy(struct node *node, struct child *child)
{
    map_remove(&node->children, child->ticket);
    if (child->task)
        child->task->child = NULL;
    mem_free(child->line);
    mem_free(child);
}

static struct child *child_find(const struct node *node, uint64_t ticket)
{
    return map_get(&node->children, ticket);
}

/* ---- start and end ---- */

/* The task may have enrolled before the shell told us which process it is. */
static void note_pid(struct task *task, uint32_t pid)
{
    if (task->conn)
        task->is_wrapped = pid && task->pid && task->pid != pid;
    else
        task->pid = pid;
}

static void start_failed(struct node *node, struct child *child, const struct event *event)
{
    int32_t status = event->status < 0 ? event->status : STATUS_OUT_OF_RES;
    struct task *task = child->task;
    node_log(node, LOG_LEVEL_INFO, "task t%x \"%s\": not started, %s", child->tid,
             task ? task->name : "", event->text ? event->text : "no reason given");
    child->task = NULL;
    if (task) {
        task->child = NULL;
        life_undo(node, task);
    }
    start_resolved(node, child->wait, child->part, status);
    child_destroy(node, child);
}

void child_started(struct node *node, const struct event *event)
{
    struct child *child = child_find(node, event->ticket);
    if (!child || child->is_running)
        return;
    if (event->status < 0) {
        start_failed(node, child, event);
        return;
    }
    child->pid = event->pid;
    child->is_running = true;
    if (child->task) {
        note_pid(child->task, event->pid);
        life_happens(node, child->task, TASK_GETS_PROCESS);
    }
    output_tell(node, &child->sink, child->tid, OUTPUT_NEW, child->parent);
    start_resolved(node, child->wait, child->part, (int32_t)child->tid);
    if (node->state == NODE_HALTING && child->pid) {
        struct effect *effect = node_effect(node, EFFECT_CHILD_SIGNAL);
        effect->pid = child->pid;
        effect->signal = SIGNAL_TERM;
    }
}

static void output_eof(struct node *node, struct child *child);

void child_exited(struct node *node, const struct event *event)
{
    struct child *child = child_find(node, event->ticket);
    if (!child)
        return;
    if (!child->is_at_eof)
        output_eof(node, child);
    if (child->task)
        life_happens(node, child->task, TASK_LOSES_PROCESS);
    child_destroy(node, child);
}

/* ---- output ---- */

static void send_output(struct node *node, const struct wire_sink *sink, const struct wr *body)
{
    if (body->bad)
        node_fatal(node, "no memory for output of a task");
    else
        route_own_message(node, (uint32_t)sink->tid, sink->context, sink->tag, body->bytes,
                          body->length);
}

static bool has_sink(const struct wire_sink *sink)
{
    return sink->tid > 0 && tid_is_task((uint32_t)sink->tid);
}

void output_tell(struct node *node, const struct wire_sink *sink, uint32_t tid, int32_t operation,
                 int32_t parent)
{
    struct wr body;
    if (!has_sink(sink))
        return;
    wr_init(&body);
    wr_u32(&body, tid);
    wr_u32(&body, (uint32_t)operation);
    if (operation != OUTPUT_EOF)
        wr_u32(&body, (uint32_t)parent);
    send_output(node, sink, &body);
    wr_fini(&body);
}

/* As the library packs bytes: padded to a multiple of four (API-45). */
static void send_piece(struct node *node, const struct child *child, const uint8_t *bytes,
                       size_t length)
{
    static const uint8_t padding[4];
    struct wr body;
    wr_init(&body);
    wr_u32(&body, child->tid);
    wr_u32(&body, (uint32_t)length);
    wr_bytes(&body, bytes, length);
    wr_bytes(&body, padding, (4 - length % 4) % 4);
    send_output(node, &child->sink, &body);
    wr_fini(&body);
}

/* One whole line to the master's log: `[t<hex>] line` (DMN-10). */
static void log_output(const struct node *node, uint32_t tid, const uint8_t *bytes, size_t length)
{
    node_log(node, LOG_LEVEL_INFO, "[t%x] %.*s", tid, (int)length, (const char *)bytes);
}

static void flush_line(struct node *node, struct child *child)
{
    struct message output = {.type = DM_OUTPUT, .dm_output = {.tid = child->tid}};
    uint64_t master = node_master(node);
    if (!master || master == node->config.epoch) {
        log_output(node, child->tid, (const uint8_t *)child->line, child->line_length);
    } else {
        output.dm_output.text =
            (struct wire_bytes){(const uint8_t *)child->line, child->line_length};
        node_send(node, master, &output);
    }
    child->line_length = 0;
}

/* Lines stay whole: a piece of one waits for its end. */
static void collect_lines(struct node *node, struct child *child, const uint8_t *bytes,
                          size_t length)
{
    if (!child->line && !(child->line = mem_alloc(OUTPUT_LINE_BYTES_MAX))) {
        node_log(node, LOG_LEVEL_WARN, "task t%x: %zu bytes of output lost, no memory", child->tid,
                 length);
        return;
    }
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n' || child->line_length == OUTPUT_LINE_BYTES_MAX)
            flush_line(node, child);
        if (bytes[i] != '\n' && bytes[i] != '\0')
            child->line[child->line_length++] = (char)bytes[i];
    }
}

static void output_eof(struct node *node, struct child *child)
{
    child->is_at_eof = true;
    if (child->line_length)
        flush_line(node, child);
    output_tell(node, &child->sink, child->tid, OUTPUT_EOF, 0);
}

void child_output(struct node *node, const struct event *event)
{
    struct child *child = child_find(node, event->ticket);
    const uint8_t *bytes = event->bytes.data;
    size_t length = event->bytes.length;
    if (!child || child->is_at_eof)
        return;
    if (length == 0) {
        output_eof(node, child);
    } else if (has_sink(&child->sink)) {
        for (size_t done = 0; done < length;) {
            size_t piece = MIN_OF(length - done, (size_t)OUTPUT_PIECE_BYTES_MAX);
            send_piece(node, child, bytes + done, piece);
            done += piece;
        }
        children_update_pause(node, (uint32_t)child->sink.tid);
    } else {
        collect_lines(node, child, bytes, length);
    }
}

void output_for_log(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_output *output = &message->dm_output;
    (void)peer;
    log_output(node, output->tid, output->text.data,
               MIN_OF(output->text.length, (size_t)OUTPUT_LINE_BYTES_MAX));
}

/* ---- a slow sink ---- */

static bool sink_is_slow(const struct node *node, uint32_t sink)
{
    if (node_is_own_tid(node, sink)) {
        const struct task *task = task_find(&node->tasks, sink);
        return task && task->conn && task->conn->is_slow;
    }
    const struct host *host = host_by_tid(&node->hosts, sink);
    return host && flow_is_over(node, host->info.epoch, node_daemon_tid(node), sink);
}

void children_update_pause(struct node *node, uint32_t sink)
{
    bool is_slow = sink_is_slow(node, sink);
    for (size_t i = 0; i < node->children.count; i++) {
        struct child *child = node->children.entries[i].value;
        if (child->sink.tid != (int32_t)sink || child->is_paused == is_slow)
            continue;
        child->is_paused = is_slow;
        struct effect *effect = node_effect(node, EFFECT_CHILD_PAUSE);
        effect->ticket = child->ticket;
        effect->flag = is_slow;
    }
}
