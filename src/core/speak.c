/* SPDX-License-Identifier: BSD-3-Clause */
/* How a node speaks: effects, messages, log lines, and what becomes of them without memory. */
#include "core/state.h"

#include "base/mem.h"
#include "core/member.h"

#include <stdarg.h>
#include <string.h>

static void drop_lost_effect(struct node *node)
{
    slice_drop(&node->lost_effect.bytes);
    frame_drop(&node->lost_effect.frame);
    memset(&node->lost_effect, 0, sizeof(node->lost_effect));
}

void node_fatal(struct node *node, const char *why)
{
    if (!node->is_broken)
        node_log(node, LOG_LEVEL_ERROR, "stopping: %s", why);
    node->is_broken = true;
}

struct effect *node_effect(struct node *node, enum effect_kind kind)
{
    struct effect *effect = node->is_broken ? NULL : effects_add(node->effects, kind);
    if (effect)
        return effect;
    node_fatal(node, "no memory");
    drop_lost_effect(node);
    return &node->lost_effect;
}

void node_drop_lost(struct node *node)
{
    drop_lost_effect(node);
}

const char *node_text(struct node *node, const char *text)
{
    if (!text || !*text)
        return "";
    const char *copy = arena_strndup(&node->effects->arena, text, strlen(text));
    if (copy)
        return copy;
    node_fatal(node, "no memory");
    return "";
}

struct wire_address *node_addresses(struct node *node, const struct wire_address *addresses,
                                    size_t count)
{
    struct wire_address_list copy;
    if (wire_addresses_copy(&node->effects->arena, &copy, addresses, count) == 0)
        return (struct wire_address *)(uintptr_t)copy.items;
    node_fatal(node, "no memory");
    return NULL;
}

struct slice node_encode(const struct message *message)
{
    struct wr wr;
    struct slice bytes = {0};
    wr_init(&wr);
    message_encode(&wr, message);
    if (!wr.bad)
        bytes = slice_copy(wr.bytes, wr.length);
    wr_fini(&wr);
    return bytes;
}

static void send_bytes(struct node *node, uint64_t peer, struct slice bytes)
{
    struct effect *effect = node_effect(node, EFFECT_PEER_SEND);
    effect->peer = peer;
    effect->bytes = slice_hold(bytes);
}

void node_send(struct node *node, uint64_t peer, const struct message *message)
{
    const struct peer *to = peer_find(node, peer);
    /* To a lost one nothing else is said: who is dead would never acknowledge it. */
    if (!to || (to->role == PEER_LOST && message->type != DM_REJOINED))
        return;
    struct slice bytes = node_encode(message);
    if (!bytes.buf)
        node_fatal(node, "no memory");
    else
        send_bytes(node, peer, bytes);
    slice_drop(&bytes);
}

void node_send_all(struct node *node, const struct message *message)
{
    struct slice bytes = node_encode(message);
    if (!bytes.buf)
        node_fatal(node, "no memory");
    HOSTS_EACH(pos, following, &node->hosts) {
        if (bytes.buf && peer_find(node, HOST_OF(pos)->info.epoch))
            send_bytes(node, HOST_OF(pos)->info.epoch, bytes);
    }
    slice_drop(&bytes);
}

void node_answer(struct node *node, struct conn *conn, const struct message *message)
{
    if (!conn)
        return;
    struct frame frame = {.kind = FRAME_CONTROL, .source = node_daemon_tid(node)};
    frame.destination = conn->task ? conn->task->tid : 0;
    frame.body = node_encode(message);
    if (!frame.body.buf)
        node_fatal(node, "no memory");
    else
        conn_send(node, conn, &frame, NULL);
    frame_drop(&frame);
}

void node_answer_done(struct node *node, struct conn *conn, uint32_t wait, int32_t status)
{
    struct message done = {.type = TM_DONE, .tm_done = {.wait = wait, .status = status}};
    node_answer(node, conn, &done);
}

void node_log(const struct node *node, enum log_level level, const char *format, ...)
{
    char line[LOG_LINE_BYTES_MAX];
    va_list args;
    if (!node->config.log || level > node->config.log->level)
        return;
    va_start(args, format);
    str_format_args(line, sizeof(line), format, args);
    va_end(args);
    log_line(node->config.log, level, "%s", line);
}

uint64_t node_ticket(struct node *node)
{
    return ++node->last_ticket;
}

uint64_t node_random(struct node *node)
{
    uint64_t value = 0;
    while (value == 0)
        node->config.random_bytes(node->config.random_context, (uint8_t *)&value, sizeof(value));
    return value;
}

/* ---- timers ---- */

int timer_set(struct node *node, struct timer *timer, uint64_t at_ns)
{
    return heap_set(&node->timers, &timer->heap, at_ns);
}

void timer_stop(struct node *node, struct timer *timer)
{
    heap_remove(&node->timers, &timer->heap);
}
