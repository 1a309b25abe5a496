/* SPDX-License-Identifier: BSD-3-Clause */
/* Connections of tasks: see the header. */
#include "core/conn.h"

#include "base/mem.h"
#include "core/child.h"
#include "core/life.h"
#include "core/member.h"
#include "core/share.h"
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

static int remember_sent(struct conn *conn, const struct sent_frame *frame)
{
    if (conn->sent_first && conn->sent_count == conn->sent_capacity) {
        conn->sent_count -= conn->sent_first;
        memmove(conn->sent, conn->sent + conn->sent_first, conn->sent_count * sizeof(*conn->sent));
        conn->sent_first = 0;
    }
    if (mem_grow((void **)&conn->sent, &conn->sent_capacity, conn->sent_count + 1,
                 sizeof(*conn->sent)) < 0)
        return -1;
    conn->sent[conn->sent_count++] = *frame;
    return 0;
}

static void pause_pair(struct node *node, struct conn *conn, bool pause)
{
    if (conn->pair_is_paused == pause)
        return;
    conn->pair_is_paused = pause;
    struct effect *effect = node_effect(node, EFFECT_SHARE_PAUSE);
    effect->conn = conn->id;
    effect->flag = pause;
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

static struct effect *send_frame(struct node *node, struct conn *conn, const struct frame *frame,
                                 struct credit *credit)
{
    const uint64_t bytes = FRAME_HEADER_BYTES + frame->body.length;
    const struct sent_frame sent = {bytes, credit, frame->is_lent};
    if (remember_sent(conn, &sent) < 0) {
        credit_drop(node, credit);
        node_fatal(node, "no memory for a frame to a task");
        return NULL;
    }
    if (!frame->is_lent) {
        conn->untaken_bytes += bytes;
        node->queued_bytes += bytes;
    }
    struct effect *effect = node_effect(node, EFFECT_CONN_SEND);
    effect->conn = conn->id;
    effect->frame = frame_hold(frame);
    effect->ticket = conn->sent_ticket + (conn->sent_count - 1 - conn->sent_first);
    return effect;
}

void conn_send(struct node *node, struct conn *conn, const struct frame *frame,
               struct credit *credit)
{
    struct effect *effect = send_frame(node, conn, frame, credit);
    if (effect && credit)
        effect->origin = (struct origin){credit->peer, credit->source, credit->destination};
    update_slow(node, conn);
}

void conn_send_fds(struct node *node, struct conn *conn, const struct frame *frame,
                   uint64_t fds_of)
{
    struct effect *effect = send_frame(node, conn, frame, NULL);
    if (effect)
        effect->fds_of = fds_of;
}

/* Those who wait because our memory holds too much may go on once there is room. */
void conns_queue_shrank(struct node *node)
{
    if (node->conns_waiting == 0 || node->queued_bytes > node->config.queue_bytes_max / 4 * 3)
        return;
    node->conns_waiting = 0;
    for (size_t i = 0; i < node->conns.count; i++) {
        struct conn *conn = node->conns.entries[i].value;
        conn->waits_for_queue = false;
        conn_update_pause(node, conn);
        pause_pair(node, conn, false);
    }
}

static void take(struct node *node, struct conn *conn, struct sent_frame *frame, uint64_t bytes)
{
    frame->bytes -= bytes;
    if (!frame->is_lent) {
        conn->untaken_bytes -= bytes;
        node->queued_bytes -= bytes;
    }
    if (frame->bytes > 0)
        return;
    credit_drop(node, frame->credit);
    frame->credit = NULL;
}

static struct sent_frame *oldest_sent(struct conn *conn)
{
    while (conn->sent_first < conn->sent_count && conn->sent[conn->sent_first].bytes == 0) {
        conn->sent_first++;
        conn->sent_ticket++;
    }
    if (conn->sent_first < conn->sent_count)
        return &conn->sent[conn->sent_first];
    conn->sent_first = conn->sent_count = 0;
    return NULL;
}

static void take_bytes(struct node *node, struct conn *conn, uint64_t count)
{
    struct sent_frame *oldest;
    while (count && (oldest = oldest_sent(conn))) {
        const uint64_t part = MIN_OF(count, oldest->bytes);
        take(node, conn, oldest, part);
        count -= part;
    }
}

void conn_taken(struct node *node, const struct event *event)
{
    struct conn *conn = conn_find(node, event->conn);
    if (!conn)
        return;
    const uint64_t place = event->ticket - conn->sent_ticket + conn->sent_first;
    if (!event->ticket)
        take_bytes(node, conn, event->count);
    else if (event->ticket >= conn->sent_ticket && place < conn->sent_count)
        take(node, conn, &conn->sent[place], conn->sent[place].bytes);
    oldest_sent(conn);
    update_slow(node, conn);
    conns_queue_shrank(node);
}

/* ---- reading or not ---- */

void conn_wait_for_queue(struct node *node, struct conn *conn, bool pair)
{
    if (pair ? conn->pair_is_paused : conn->waits_for_queue)
        return;
    node->conns_waiting++;
    if (pair) {
        pause_pair(node, conn, true);
        return;
    }
    conn->waits_for_queue = true;
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
        conn->sent_ticket = 1;
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
    take_bytes(node, conn, UINT64_MAX);
    node->conns_waiting -= (size_t)conn->waits_for_queue + conn->pair_is_paused;
    share_forget(node, conn);
    mem_free(conn->sent);
    mem_free(conn);
}

/* Its requests go first: their answers have nowhere to go; then those are told who share memory
 * with it; then what was written and not taken, so that the credit is back before its task is said
 * to be gone. */
static void conn_end(struct node *node, struct conn *conn)
{
    struct task *task = conn->task;
    waits_forget_conn(node, conn);
    commands_forget_conn(node, conn);
    share_end(node, conn);
    conn_destroy(node, conn);
    conns_queue_shrank(node);
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
