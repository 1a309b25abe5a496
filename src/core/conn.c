/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections of tasks: see the header. */
#include "core/conn.h"

#include "base/mem.h"
#include "core/child.h"
#include "core/life.h"
#include "core/member.h"
#include "core/wait.h"

#include <string.h>

/* ---- credit ---- */

struct credit *credit_create(uint64_t peer, uint32_t source, uint32_t destination, uint64_t bytes)
{
    struct credit *credit = mem_alloc(sizeof(*credit));
    if (credit)
        *credit = (struct credit){peer, source, destination, bytes, 1};
    return credit;
}

struct credit *credit_hold(struct credit *credit)
{
    if (credit)
        credit->references++;
    return credit;
}

void credit_drop(struct node *node, struct credit *credit)
{
    if (!credit || --credit->references > 0)
        return;
    if (node->effects && peer_find(node, credit->peer)) {
        struct effect *effect = node_effect(node, EFFECT_PEER_CONSUME);
        effect->origin = (struct origin){credit->peer, credit->source, credit->destination};
        effect->count = credit->bytes;
    }
    mem_free(credit);
}

/* ---- what is written ---- */

struct conn *conn_find(const struct node *node, uint64_t id)
{
    return map_get(&node->conns, id);
}

static int remember_sent(struct conn *conn, uint64_t bytes, struct credit *credit)
{
    if (conn->sent_first && conn->sent_count == conn->sent_capacity) {
        conn->sent_count -= conn->sent_first;
        memmove(conn->sent, conn->sent + conn->sent_first, conn->sent_count * sizeof(*conn->sent));
        conn->sent_first = 0;
    }
    if (mem_grow((void **)&conn->sent, &conn->sent_capacity, conn->sent_count + 1,
                 sizeof(*conn->sent)) < 0)
        return -1;
    conn->sent[conn->sent_count++] = (struct sent_frame){bytes, credit};
    conn->untaken_bytes += bytes;
    return 0;
}

/* Those who print to a task that does not take what it has are not read. */
static void update_slow(struct node *node, struct conn *conn)
{
    uint64_t limit = node->config.flow_window_bytes / (conn->is_slow ? 2 : 1);
    if (conn->is_slow == (conn->untaken_bytes > limit))
        return;
    conn->is_slow = !conn->is_slow;
    if (conn->task)
        children_update_pause(node, conn->task->tid);
}

void conn_send(struct node *node, struct conn *conn, const struct frame *frame,
               struct credit *credit)
{
    uint64_t bytes = FRAME_HEADER_BYTES + frame->body.length;
    if (remember_sent(conn, bytes, credit) < 0) {
        credit_drop(node, credit);
        node_fatal(node, "no memory for a frame to a task");
        return;
    }
    node->queued_bytes += bytes;
    struct effect *effect = node_effect(node, EFFECT_CONN_SEND);
    effect->conn = conn->id;
    effect->frame = frame_hold(frame);
    if (credit)
        effect->origin = (struct origin){credit->peer, credit->source, credit->destination};
    update_slow(node, conn);
}

/* Those who wait because tasks of this host hold too much may go on once there is room. */
static void queue_shrank(struct node *node)
{
    if (node->conns_waiting == 0 || node->queued_bytes > node->config.queue_bytes_max / 4 * 3)
        return;
    node->conns_waiting = 0;
    for (size_t i = 0; i < node->conns.count; i++) {
        struct conn *conn = node->conns.entries[i].value;
        if (!conn->waits_for_queue)
            continue;
        conn->waits_for_queue = false;
        conn_update_pause(node, conn);
    }
}

static void take_oldest(struct node *node, struct conn *conn)
{
    struct sent_frame *oldest = &conn->sent[conn->sent_first];
    credit_drop(node, oldest->credit);
    if (++conn->sent_first == conn->sent_count)
        conn->sent_first = conn->sent_count = 0;
}

void conn_taken(struct node *node, const struct event *event)
{
    struct conn *conn = conn_find(node, event->conn);
    if (!conn)
        return;
    uint64_t count = MIN_OF(event->count, conn->untaken_bytes);
    conn->untaken_bytes -= count;
    node->queued_bytes -= count;
    while (count) {
        struct sent_frame *oldest = &conn->sent[conn->sent_first];
        uint64_t part = MIN_OF(count, oldest->bytes);
        oldest->bytes -= part;
        count -= part;
        if (oldest->bytes == 0)
            take_oldest(node, conn);
    }
    update_slow(node, conn);
    queue_shrank(node);
}

/* ---- reading or not ---- */

void conn_wait_for_queue(struct node *node, struct conn *conn)
{
    if (conn->waits_for_queue)
        return;
    conn->waits_for_queue = true;
    node->conns_waiting++;
    conn_update_pause(node, conn);
}

void conn_update_pause(struct node *node, struct conn *conn)
{
    bool pause = conn->waits_for_queue || (conn->task && conn->task->sender->flows_over > 0);
    if (pause == conn->is_paused)
        return;
    conn->is_paused = pause;
    struct effect *effect = node_effect(node, EFFECT_CONN_PAUSE);
    effect->conn = conn->id;
    effect->flag = pause;
}

/* ---- opening and closing ---- */

void conn_opened(struct node *node, const struct event *event)
{
    struct conn *conn = mem_calloc(1, sizeof(*conn));
    if (conn) {
        conn->id = event->conn;
        conn->pid = event->pid;
    }
    if (conn && map_put(&node->conns, conn->id, conn) == 0)
        return;
    mem_free(conn);
    node_log(node, LOG_LEVEL_ERROR, "connection of pid %u: refused, no memory", event->pid);
    node_effect(node, EFFECT_CONN_CLOSE)->conn = event->conn;
}

void conn_destroy(struct node *node, struct conn *conn)
{
    map_remove(&node->conns, conn->id);
    while (conn->sent_count)
        take_oldest(node, conn);
    node->queued_bytes -= conn->untaken_bytes;
    node->conns_waiting -= conn->waits_for_queue;
    mem_free(conn->sent);
    mem_free(conn);
}

/* Its requests go first: their answers have nowhere to go; then what was written and not taken, so
 * that the credit is back before its task is said to be gone. */
static void conn_end(struct node *node, struct conn *conn)
{
    struct task *task = conn->task;
    waits_forget_conn(node, conn);
    conn_destroy(node, conn);
    queue_shrank(node);
    if (!task)
        return;
    task->conn = NULL;
    life_happens(node, task, TASK_CLOSES);
}

void conn_close(struct node *node, struct conn *conn, const char *why)
{
    node_log(node, LOG_LEVEL_WARN, "connection of pid %u, t%x: closed, %s", conn->pid,
             conn->task ? conn->task->tid : 0, why);
    node_effect(node, EFFECT_CONN_CLOSE)->conn = conn->id;
    conn_end(node, conn);
}

void conn_closed(struct node *node, const struct event *event)
{
    struct conn *conn = conn_find(node, event->conn);
    if (conn)
        conn_end(node, conn);
}
