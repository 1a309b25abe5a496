/* SPDX-License-Identifier: BSD-3-Clause */
/* The tiny shell for tests of the core: see the header. */
#include "fake_inside.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the queue ---- */

struct fake_item *fake_push(struct fake *fake, int node, enum event_kind kind)
{
    struct fake_item *item = calloc(1, sizeof(*item));
    item->node = node;
    item->event.kind = kind;
    if (fake->last)
        fake->last->next = item;
    else
        fake->first = item;
    fake->last = item;
    return item;
}

static void item_free(struct fake_item *item)
{
    slice_drop(&item->event.bytes);
    frame_drop(&item->event.frame);
    free(item);
}

static void step(struct fake *fake, int index, struct event *event)
{
    struct fake_node *node = &fake->nodes[index];
    if (!node->node || node->is_stopped)
        return;
    event->now_ns = fake->now_ns;
    event->wall_clock_us = 1000000 + fake->now_ns / 1000 + (uint64_t)index * 5000000;
    fake->steps++;
    if (fake->steps == fake->fail_step)
        mem_fail_at(fake->fail_nth, fake->fail_repeat);
    node_step(node->node, event, &node->effects);
    mem_fail_at(0, 0);
    fake_perform(fake, index);
}

int fake_index_of(const struct fake *fake, uint64_t epoch)
{
    for (int i = 0; i < fake->node_count; i++) {
        if (fake->nodes[i].epoch == epoch || fake->nodes[i].old_epoch == epoch)
            return i;
    }
    return -1;
}

int fake_known_at(const struct fake_node *node, uint64_t epoch)
{
    for (size_t i = 0; i < node->known_count; i++) {
        if (node->known[i] == epoch)
            return (int)i;
    }
    return -1;
}

static bool is_from_peer(enum event_kind kind)
{
    return kind == EVENT_PEER_MESSAGE || kind == EVENT_PEER_FRAME || kind == EVENT_PEER_NOTE;
}

static bool is_ready(const struct fake *fake, const struct fake_item *item)
{
    const struct fake_node *node = &fake->nodes[item->node];
    if (!is_from_peer(item->event.kind) || !node->node || node->is_stopped ||
        item->event.kind == EVENT_PEER_NOTE)
        return true;
    if (node->is_behind)
        return false;
    int at = fake_known_at(node, item->event.peer);
    return at >= 0 && (!item->as || node->self[at] == item->as);
}

static struct fake_item *pop_ready(struct fake *fake)
{
    struct fake_item **at = &fake->first;
    struct fake_item *before = NULL;
    for (; *at; before = *at, at = &(*at)->next) {
        struct fake_item *item = *at;
        if (!is_ready(fake, item))
            continue;
        *at = item->next;
        if (fake->last == item)
            fake->last = before;
        item->next = NULL;
        return item;
    }
    return NULL;
}

void fake_run(struct fake *fake)
{
    fake_run_some(fake, 1000000);
}

void fake_run_some(struct fake *fake, int limit)
{
    struct fake_item *item;
    while (limit-- > 0 && (item = pop_ready(fake))) {
        struct fake_node *node = &fake->nodes[item->node];
        int from = item->event.peer ? fake_index_of(fake, item->event.peer) : -1;
        bool is_note = item->event.kind == EVENT_PEER_NOTE;
        bool lost = is_from_peer(item->event.kind) &&
                    (node->is_cut || (from >= 0 && fake->nodes[from].is_cut) ||
                     (is_note && fake_known_at(node, item->event.peer) < 0));
        if (!lost) {
            if (item->event.kind == EVENT_PEER_FRAME) {
                uint64_t bytes = FRAME_HEADER_BYTES + item->event.frame.body.length;
                node->received += bytes;
                if (from >= 0 && !fake->nodes[from].keeps_acks) {
                    struct fake_item *ack = fake_push(fake, from, EVENT_PEER_ACKED);
                    ack->event.peer = node->epoch;
                    ack->event.source = item->event.frame.source;
                    ack->event.destination = item->event.frame.destination;
                    ack->event.count = bytes;
                }
            }
            step(fake, item->node, &item->event);
        }
        item_free(item);
    }
}

void fake_advance(struct fake *fake, uint64_t duration_ns)
{
    uint64_t until = fake->now_ns + duration_ns;
    for (;;) {
        uint64_t next = until;
        for (int i = 0; i < fake->node_count; i++) {
            struct fake_node *node = &fake->nodes[i];
            if (node->node && !node->is_stopped && node_deadline(node->node) < next)
                next = node_deadline(node->node);
        }
        fake->now_ns = next > fake->now_ns ? next : fake->now_ns;
        for (int i = 0; i < fake->node_count; i++) {
            struct fake_node *node = &fake->nodes[i];
            if (node->node && !node->is_stopped && node_deadline(node->node) <= fake->now_ns)
                fake_push(fake, i, EVENT_DEADLINE);
        }
        fake_run(fake);
        if (next >= until)
            return;
    }
}

void fake_event(struct fake *fake, int node, const struct event *event)
{
    struct fake_item *item = fake_push(fake, node, event->kind);
    item->event = *event;
    item->event.bytes = slice_hold(event->bytes);
    item->event.frame = frame_hold(&event->frame);
}

static struct slice encode(const struct message *message)
{
    struct wr wr;
    wr_init(&wr);
    message_encode(&wr, message);
    struct slice bytes = wr.bad ? (struct slice){0} : slice_copy(wr.bytes, wr.length);
    wr_fini(&wr);
    return bytes;
}

void fake_peer_message(struct fake *fake, int node, int from, const struct message *message)
{
    struct fake_item *item = fake_push(fake, node, EVENT_PEER_MESSAGE);
    item->event.peer = fake->nodes[from].epoch;
    item->event.bytes = encode(message);
}

/* ---- nodes ---- */

static void write_log(void *context, enum log_level level, const char *line)
{
    struct fake_node *node = context;
    struct fake *fake = node->fake;
    int room = FAKE_LOG_BYTES - (int)fake->log_length;
    (void)level;
    if (getenv("FAKE_LOG"))
        printf("# [%s] %s\n", node->name, line);
    int length = room > 1 ? snprintf(fake->log + fake->log_length, (size_t)room, "[%s] %s\n",
                                     node->name, line)
                          : 0;
    if (length > 0 && length < room)
        fake->log_length += (size_t)length;
}

static void random_bytes(void *context, uint8_t *bytes, size_t length)
{
    struct fake *fake = context;
    for (size_t i = 0; i < length; i++) {
        fake->random = fake->random * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(fake->random >> 56);
    }
}

void fake_address_of(int index, uint8_t ip[16], struct wire_address *address)
{
    static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 10};
    memcpy(ip, mapped, sizeof(mapped));
    ip[15] = (uint8_t)(index + 1);
    *address = (struct wire_address){.ip = {ip, 16}, .port = (uint16_t)(4000 + index)};
}

struct fake_node *fake_node_new(struct fake *fake, const char *name, uint64_t epoch,
                                  struct node_config *config)
{
    if (fake->node_count == FAKE_NODES_MAX)
        return NULL;
    struct fake_node *node = &fake->nodes[fake->node_count];
    uint8_t ip[16];
    struct wire_address address;
    node->fake = fake;
    node->index = fake->node_count++;
    node->epoch = epoch;
    str_copy(node->name, sizeof(node->name), name);
    memset(node->key, node->index + 1, sizeof(node->key));
    effects_init(&node->effects);
    node->sink = (struct log_sink){write_log, node, LOG_LEVEL_DEBUG};
    fake_address_of(node->index, ip, &address);
    config->name = node->name;
    config->arch = node->index == 2 ? "LINUX" : "LINUX64";
    config->signature = 0x00408c41;
    config->speed = 1000;
    config->epoch = epoch;
    memcpy(config->public_key, node->key, sizeof(node->key));
    config->addresses = &address;
    config->address_count = 1;
    config->dead_after_ns = fake->dead_after_ns;
    config->join_timeout_ns = 300u * UINT64_C(1000000000);
    config->flow_window_bytes = fake->flow_window_bytes;
    config->queue_bytes_max = fake->queue_bytes_max;
    config->mcast_width = fake->mcast_width;
    config->tasks_max = fake->tasks_max;
    config->shares_memory = fake->shares_memory;
    config->request_timeout_ns = fake->request_timeout_ns;
    config->random_bytes = random_bytes;
    config->random_context = fake;
    config->log = &node->sink;
    node->node = node_create(config);
    if (node->node)
        fake_push(fake, node->index, EVENT_START);
    return node;
}

struct fake *fake_create_unstarted(void)
{
    struct fake *fake = calloc(1, sizeof(*fake));
    fake->flow_window_bytes = 1024 * 1024;
    fake->queue_bytes_max = 64 * 1024 * 1024;
    fake->host_protocol = PROTOCOL_DAEMON_VERSION;
    fake->next_pid = 1000;
    fake->next_conn = 1;
    fake->random = 42;
    fake->hostfile = "";
    arena_init(&fake->arena);
    return fake;
}

void fake_start(struct fake *fake)
{
    struct node_config config = {.is_founder = true, .number = 1, .hostfile_name = "hosts",
                                 .hostfile_text = fake->hostfile};
    fake_node_new(fake, "alpha", 0xa1fa0001, &config);
    fake_run(fake);
}

struct fake *fake_create(const char *hostfile)
{
    struct fake *fake = fake_create_unstarted();
    fake->hostfile = hostfile;
    fake_start(fake);
    return fake;
}

void fake_destroy(struct fake *fake)
{
    while (fake->first) {
        struct fake_item *item = fake->first;
        fake->first = item->next;
        item_free(item);
    }
    for (int i = 0; i < fake->node_count; i++) {
        node_destroy(fake->nodes[i].node);
        effects_fini(&fake->nodes[i].effects);
    }
    for (int i = 0; i < fake->task_count; i++) {
        struct fake_task *task = &fake->tasks[i];
        for (size_t j = 0; j < task->frame_count; j++)
            frame_drop(&task->frames[j]);
        for (size_t j = 0; j < task->answer_count; j++)
            slice_drop(&task->answers[j]);
        free(task->frames);
        free(task->answers);
    }
    arena_fini(&fake->arena);
    free(fake);
}

bool fake_logged(const struct fake *fake, const char *text)
{
    return strstr(fake->log, text) != NULL;
}

bool fake_tables_agree(const struct fake *fake)
{
    uint64_t hash = 0;
    for (int i = 0; i < fake->node_count; i++) {
        const struct fake_node *node = &fake->nodes[i];
        if (!node->node || node->is_stopped || node->is_cut)
            continue;
        if (hash && node_table_hash(node->node) != hash)
            return false;
        hash = node_table_hash(node->node);
    }
    return true;
}

void fake_everybody_loses(struct fake *fake, int index, const char *why)
{
    for (int i = 0; i < fake->node_count; i++) {
        if (i == index || fake_known_at(&fake->nodes[i], fake->nodes[index].epoch) < 0)
            continue;
        struct fake_item *down = fake_push(fake, i, EVENT_PEER_DOWN);
        down->event.peer = fake->nodes[index].epoch;
        down->event.text = why;
    }
}

void fake_crash(struct fake *fake, int index)
{
    struct fake_node *node = &fake->nodes[index];
    node->is_cut = true;
    node->is_stopped = true;
    for (size_t i = 0; i < node->tombstone_count; i++) {
        int to = fake_index_of(fake, node->tombstones[i]);
        if (to >= 0 && !fake->nodes[to].is_cut)
            fake_push(fake, to, EVENT_PEER_TOMBSTONE)->event.peer = node->epoch;
    }
    fake_run(fake);
}

int fake_master(const struct fake *fake)
{
    int master = -1;
    for (int i = 0; i < fake->node_count; i++) {
        const struct fake_node *node = &fake->nodes[i];
        if (!node->node || node->is_stopped || node->is_lost || !node_is_master(node->node))
            continue;
        if (master >= 0)
            return -1;
        master = i;
    }
    return master;
}

void fake_rejoin(struct fake *fake, int index)
{
    struct fake_node *node = &fake->nodes[index];
    struct node *again = node->is_lost ? node_rejoin(node->node) : NULL;
    if (!again)
        return;
    node->node = again;
    node->is_lost = false;
    node->known_count = 0;
    node->old_epoch = node->epoch;
    node->epoch = node_epoch(again);
    fake_push(fake, index, EVENT_START);
    fake_run(fake);
}

/* ---- tasks and processes ---- */

struct fake_task *fake_task_of_conn(struct fake *fake, uint64_t conn)
{
    for (int i = 0; i < fake->task_count; i++) {
        if (fake->tasks[i].conn == conn)
            return &fake->tasks[i];
    }
    return NULL;
}

struct fake_child *fake_child_of_ticket(struct fake *fake, int node, uint64_t ticket)
{
    for (int i = 0; i < fake->child_count; i++) {
        if (fake->children[i].node == node && fake->children[i].ticket == ticket)
            return &fake->children[i];
    }
    return NULL;
}

void fake_send_frame(struct fake *fake, struct fake_task *task, const struct frame *frame)
{
    struct event event = {.kind = EVENT_CONN_FRAME, .conn = task->conn, .frame = *frame};
    fake_event(fake, task->node, &event);
}

void fake_send(struct fake *fake, struct fake_task *task, uint32_t destination, uint64_t sequence,
               uint8_t flags, const char *text)
{
    struct frame frame = {.kind = FRAME_DATA, .flags = flags, .source = task->tid,
                          .destination = destination, .sequence = sequence};
    frame.body = slice_copy(text, strlen(text));
    fake_send_frame(fake, task, &frame);
    frame_drop(&frame);
}

void fake_ask(struct fake *fake, struct fake_task *task, struct message *request)
{
    struct frame frame = {.kind = FRAME_CONTROL, .source = task->tid};
    frame.body = encode(request);
    fake_send_frame(fake, task, &frame);
    frame_drop(&frame);
}

struct message fake_answer(struct fake *fake, struct fake_task *task)
{
    struct message answer = {.type = MESSAGE_NONE};
    if (task->answer_count == 0)
        return answer;
    struct slice bytes = task->answers[0];
    memmove(task->answers, task->answers + 1, --task->answer_count * sizeof(*task->answers));
    if (message_decode(bytes.data, bytes.length, &fake->arena, &answer) < 0)
        answer.type = MESSAGE_NONE;
    slice_drop(&bytes);
    return answer;
}

struct message fake_request(struct fake *fake, struct fake_task *task, struct message *request)
{
    /* Every request but TM_ENROL, TM_SIGNAL and TM_NOTIFY begins with its wait number. */
    if (request->type != TM_ENROL && request->type != TM_SIGNAL && request->type != TM_NOTIFY)
        request->tm_config.wait = ++task->last_wait;
    fake_ask(fake, task, request);
    fake_run(fake);
    return fake_answer(fake, task);
}

struct fake_task *fake_task(struct fake *fake, int node, uint32_t pid, uint64_t cookie)
{
    struct fake_task *task = &fake->tasks[fake->task_count++];
    task->order_count = 0;
    task->node = node;
    task->conn = fake->next_conn++;
    task->pid = pid ? pid : fake->next_pid++;
    task->is_open = true;
    struct fake_item *opened = fake_push(fake, node, EVENT_CONN_OPENED);
    opened->event.conn = task->conn;
    opened->event.pid = task->pid;
    struct message enrol = {.type = TM_ENROL};
    enrol.tm_enrol = (struct wire_tm_enrol){.version = PROTOCOL_TASK_VERSION,
                                            .signature = fake->signature ? fake->signature
                                                                         : 0x00408c41,
                                            .pid = task->pid,
                                            .cookie = cookie, .name = ""};
    struct message answer = fake_request(fake, task, &enrol);
    if (answer.type == TM_ENROLLED && answer.tm_enrolled.status == 0) {
        task->tid = answer.tm_enrolled.tid;
        task->parent = answer.tm_enrolled.parent;
        task->share_index = answer.tm_enrolled.share_index;
    }
    return task;
}

struct fake_task *fake_enrol_child(struct fake *fake, struct fake_child *child)
{
    return fake_task(fake, child->node, child->pid, child->cookie);
}

void fake_close(struct fake *fake, struct fake_task *task)
{
    if (!task->is_open)
        return;
    task->is_open = false;
    fake_push(fake, task->node, EVENT_CONN_CLOSED)->event.conn = task->conn;
    fake_run(fake);
}

void fake_exit_now(struct fake *fake, struct fake_child *child)
{
    if (!child->is_running)
        return;
    child->is_running = false;
    for (int i = 0; i < fake->task_count; i++) {
        struct fake_task *task = &fake->tasks[i];
        if (task->node == child->node && task->pid == child->pid && task->is_open) {
            task->is_open = false;
            fake_push(fake, task->node, EVENT_CONN_CLOSED)->event.conn = task->conn;
        }
    }
    fake_push(fake, child->node, EVENT_CHILD_OUTPUT)->event.ticket = child->ticket;
    fake_push(fake, child->node, EVENT_CHILD_EXITED)->event.ticket = child->ticket;
}

void fake_exit(struct fake *fake, struct fake_child *child)
{
    fake_exit_now(fake, child);
    fake_run(fake);
}

struct fake_child *fake_child_of(struct fake *fake, uint32_t order)
{
    return order < (uint32_t)fake->child_count ? &fake->children[order] : NULL;
}

void fake_print(struct fake *fake, struct fake_child *child, const char *text)
{
    struct fake_item *item = fake_push(fake, child->node, EVENT_CHILD_OUTPUT);
    item->event.ticket = child->ticket;
    item->event.bytes = slice_copy(text, strlen(text));
    fake_run(fake);
}

struct frame fake_take(struct fake_task *task)
{
    struct frame none = {0};
    if (task->frame_count == 0)
        return none;
    struct frame frame = task->frames[0];
    memmove(task->frames, task->frames + 1, --task->frame_count * sizeof(*task->frames));
    return frame;
}

int32_t fake_int(const struct frame *frame, int index)
{
    size_t at = MESSAGE_HEAD_BYTES + (size_t)index * 4 +
                (frame->kind == FRAME_NOTICE ? NOTICE_HEAD_BYTES : 0);
    struct rd rd = rd_init(frame->body.data, frame->body.length);
    rd_bytes(&rd, at);
    return (int32_t)rd_u32(&rd);
}
