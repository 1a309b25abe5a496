/* SPDX-License-Identifier: BSD-3-Clause */
/* Who shares memory with whom: see the header. */
#include "core/share.h"

#include "base/mem.h"

enum { INDEXES_PER_WORD = 64 };

/* Somebody asked to share with a task that has not enrolled yet. */
struct waiting_attach {
    struct list link; /* task->attaches, oldest first */
    uint64_t conn;
    uint32_t tid;     /* of the one who asked: it may be gone, or be another, by then */
    struct share_offer offer;
};

/* ---- indexes ---- */

static uint32_t index_take(struct node *node)
{
    node->share_used[0] |= 1; /* the daemon's */
    for (uint32_t word = 0; word < ARRAY_LEN(node->share_used); word++) {
        for (uint32_t bit = 0; bit < INDEXES_PER_WORD && node->share_used[word] != UINT64_MAX;
             bit++) {
            if (node->share_used[word] >> bit & 1)
                continue;
            node->share_used[word] |= UINT64_C(1) << bit;
            return word * INDEXES_PER_WORD + bit;
        }
    }
    return 0;
}

static void index_give_back(struct node *node, uint32_t index)
{
    node->share_used[index / INDEXES_PER_WORD] &= ~(UINT64_C(1) << index % INDEXES_PER_WORD);
}

void share_begin(struct node *node, struct conn *conn, uint32_t signature)
{
    if (!node->config.shares_memory || signature != node->config.signature)
        return;
    conn->share_index = index_take(node);
    if (conn->share_index == 0)
        node_log(node, LOG_LEVEL_INFO, "process %u: shares no memory, %d others do", conn->pid,
                 SHARE_INDEX_MAX - 1);
}

/* ---- saying ---- */

static void say(struct node *node, struct conn *conn, const struct message *message,
                uint64_t fds_of)
{
    struct frame frame = {.kind = FRAME_CONTROL, .source = node_daemon_tid(node),
                          .destination = conn->task->tid};
    frame.body = node_encode(message);
    if (!frame.body.buf)
        node_fatal(node, "no memory");
    else
        conn_send_fds(node, conn, &frame, fds_of);
    frame_drop(&frame);
}

static void refuse(struct node *node, struct conn *conn, uint32_t tid, int32_t status)
{
    struct message peer = {.type = TM_PEER, .tm_peer = {.tid = tid, .status = status}};
    say(node, conn, &peer, 0);
}

/* |index|: of |tid| in the inbox of the one it is said to. */
static void say_peer(struct node *node, struct conn *conn, uint32_t tid, uint32_t index,
                     const struct share_offer *offer, uint64_t fds_of)
{
    struct message peer = {.type = TM_PEER};
    peer.tm_peer = (struct wire_tm_peer){.tid = tid,
                                         .index = index,
                                         .ring_offset = offer->ring_offset,
                                         .ring_slots = offer->ring_slots,
                                         .back_offset = offer->back_offset,
                                         .fds = SHARE_FDS_COUNT};
    say(node, conn, &peer, fds_of);
}

/* ---- pairs ---- */

static enum share_side side_of(const struct conn *conn, const struct conn *other)
{
    return (enum share_side)(uintptr_t)map_get(&conn->sharing, other->id);
}

static int set_side(struct conn *conn, const struct conn *other, enum share_side side)
{
    return map_put(&conn->sharing, other->id, (void *)(uintptr_t)side);
}

/* Passes |conn|'s side to |other|. */
static void pass_on(struct node *node, struct conn *conn, struct conn *other,
                    const struct share_offer *offer)
{
    const bool is_new = side_of(other, conn) == 0;
    if (set_side(conn, other, SHARE_ASKED) < 0 ||
        (is_new && set_side(other, conn, SHARE_ASKED_BY_OTHER) < 0)) {
        map_remove(&conn->sharing, other->id);
        refuse(node, conn, other->task->tid, STATUS_NO_MEM);
        return;
    }
    say_peer(node, other, conn->task->tid, conn->share_index, offer, conn->id);
}

static bool waits_already(const struct task *task, const struct conn *conn)
{
    LIST_EACH(pos, following, &task->attaches) {
        if (LIST_ENTRY(pos, struct waiting_attach, link)->conn == conn->id)
            return true;
    }
    return false;
}

static void ask_later(struct node *node, struct conn *conn, struct task *task,
                      const struct share_offer *offer)
{
    struct waiting_attach *waiting = mem_calloc(1, sizeof(*waiting));
    if (!waiting) {
        refuse(node, conn, task->tid, STATUS_NO_MEM);
        return;
    }
    waiting->conn = conn->id;
    waiting->tid = conn->task->tid;
    waiting->offer = *offer;
    list_push_back(&task->attaches, &waiting->link);
}

/* The conn of the one who asked, if that is still who it was. */
static struct conn *take_waiting(struct node *node, struct task *task, struct share_offer *offer)
{
    struct list *first;
    while ((first = list_first(&task->attaches))) {
        struct waiting_attach *waiting = LIST_ENTRY(first, struct waiting_attach, link);
        struct conn *conn = conn_find(node, waiting->conn);
        const bool is_there = conn && conn->task && conn->task->tid == waiting->tid;
        *offer = waiting->offer;
        list_remove(first);
        mem_free(waiting);
        if (is_there)
            return conn;
    }
    return NULL;
}

void share_task_enrolled(struct node *node, struct task *task)
{
    struct share_offer offer;
    for (struct conn *conn; (conn = take_waiting(node, task, &offer));) {
        if (task->conn->share_index)
            pass_on(node, conn, task->conn, &offer);
        else
            refuse(node, conn, task->tid, STATUS_NOT_IMPL);
    }
}

void share_task_ended(struct node *node, struct task *task)
{
    struct share_offer offer;
    for (struct conn *conn; (conn = take_waiting(node, task, &offer));)
        refuse(node, conn, task->tid, STATUS_NO_TASK);
}

void share_drop_waiting(struct task *task)
{
    LIST_EACH(pos, following, &task->attaches) {
        list_remove(pos);
        mem_free(LIST_ENTRY(pos, struct waiting_attach, link));
    }
}

/* ---- requests ---- */

static void attach_to_task(struct node *node, struct conn *conn, uint32_t tid,
                           const struct share_offer *offer)
{
    struct task *task = task_find(&node->tasks, tid);
    if (task == conn->task) {
        refuse(node, conn, tid, STATUS_BAD_PARAM);
        return;
    }
    const bool is_to_come = task && (task->state == TASK_STARTING || task->state == TASK_STARTED);
    const bool is_here = task && task->state == TASK_CONNECTED;
    if (!is_to_come && !is_here)
        refuse(node, conn, tid, STATUS_NO_TASK);
    else if (is_here && !task->conn->share_index)
        refuse(node, conn, tid, STATUS_NOT_IMPL);
    else if (is_here ? side_of(conn, task->conn) == SHARE_ASKED : waits_already(task, conn))
        conn_close(node, conn, "it asked twice to share memory with the same task");
    else if (is_here)
        pass_on(node, conn, task->conn, offer);
    else
        ask_later(node, conn, task, offer);
}

static void attach_to_daemon(struct node *node, struct conn *conn, const struct share_offer *offer)
{
    if (conn->asked_daemon) {
        conn_close(node, conn, "it asked twice to share memory with the daemon");
        return;
    }
    conn->asked_daemon = true;
    struct effect *effect = node_effect(node, EFFECT_SHARE_ATTACH);
    effect->conn = conn->id;
    effect->count = conn->share_index;
    effect->offer = *offer;
}

void attach_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct wire_tm_attach *attach = &message->tm_attach;
    const struct share_offer offer = {.ring_offset = attach->ring_offset,
                                      .ring_slots = attach->ring_slots,
                                      .back_offset = attach->back_offset};
    if (attach->fds && (attach->fds != SHARE_FDS_COUNT || conn->has_fds)) {
        conn_close(node, conn, "descriptors of shared memory that cannot be");
        return;
    }
    conn->has_fds = conn->has_fds || node->fds_came == SHARE_FDS_COUNT;
    if (!conn->share_index)
        refuse(node, conn, attach->tid, STATUS_NOT_IMPL);
    else if (!conn->has_fds)
        refuse(node, conn, attach->tid, STATUS_SYS_ERR);
    else if (attach->tid == node_daemon_tid(node))
        attach_to_daemon(node, conn, &offer);
    else
        attach_to_task(node, conn, attach->tid, &offer);
}

void share_attached(struct node *node, const struct event *event)
{
    struct conn *conn = conn_find(node, event->conn);
    if (!conn || !conn->task || !conn->asked_daemon)
        return;
    if (event->status)
        refuse(node, conn, node_daemon_tid(node), event->status);
    else
        say_peer(node, conn, node_daemon_tid(node), 0, &event->offer, EFFECT_FDS_DAEMON);
}

/* Between two who share; the other may just have gone. */
void wake_request(struct node *node, struct conn *conn, const struct message *message)
{
    const struct task *task = task_find(&node->tasks, message->tm_wake.tid);
    if (task && task->conn && side_of(conn, task->conn))
        node_effect(node, EFFECT_SHARE_WAKE)->conn = task->conn->id;
}

/* ---- ends ---- */

static void tell_gone(struct node *node, struct conn *conn, uint32_t tid)
{
    struct message gone = {.type = TM_GONE, .tm_gone = {.tid = tid}};
    if (conn->task)
        node_answer(node, conn, &gone);
}

void share_end(struct node *node, struct conn *conn)
{
    for (size_t i = 0; i < conn->sharing.count; i++) {
        struct conn *other = conn_find(node, conn->sharing.entries[i].key);
        if (!other)
            continue;
        map_remove(&other->sharing, conn->id);
        if (conn->task)
            tell_gone(node, other, conn->task->tid);
    }
    if (conn->has_fds)
        node_effect(node, EFFECT_SHARE_END)->conn = conn->id;
    share_forget(node, conn);
}

void share_forget(struct node *node, struct conn *conn)
{
    map_fini(&conn->sharing);
    if (conn->share_index)
        index_give_back(node, conn->share_index);
    conn->share_index = 0;
    conn->has_fds = conn->asked_daemon = false;
}
