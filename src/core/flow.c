/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes on their way to other hosts: see the header. */
#include "core/flow.h"

#include "base/mem.h"
#include "core/child.h"
#include "core/life.h"

#include <string.h>

static uint64_t flow_key(uint32_t source, uint32_t destination)
{
    return (uint64_t)source << 32 | destination;
}

static struct flow *flow_find(const struct node *node, uint64_t peer, uint32_t source,
                              uint32_t destination)
{
    return map_get2(&node->flows, peer, flow_key(source, destination));
}

bool flow_is_over(const struct node *node, uint64_t peer, uint32_t source, uint32_t destination)
{
    const struct flow *flow = flow_find(node, peer, source, destination);
    return flow && flow->is_over;
}

static struct flow *flow_get(struct node *node, uint64_t peer, uint32_t source,
                             uint32_t destination)
{
    struct flow *flow = flow_find(node, peer, source, destination);
    if (flow)
        return flow;
    flow = mem_calloc(1, sizeof(*flow));
    if (!flow)
        return NULL;
    *flow = (struct flow){.peer = peer, .source = source, .destination = destination};
    if (map_put2(&node->flows, peer, flow_key(source, destination), flow) < 0) {
        mem_free(flow);
        return NULL;
    }
    struct sender *sender = map_get(&node->senders, source);
    if (sender)
        sender->flow_count++;
    return flow;
}

/* Tells whoever writes to the flow to stop or to go on. */
static void flow_set_over(struct node *node, struct flow *flow, bool is_over)
{
    if (flow->is_over == is_over)
        return;
    flow->is_over = is_over;
    if (flow->source == node_daemon_tid(node)) {
        children_update_pause(node, flow->destination);
        return;
    }
    struct sender *sender = map_get(&node->senders, flow->source);
    if (!sender)
        return;
    sender->flows_over += is_over ? 1 : UINT32_MAX; /* minus one */
    struct task *task = task_find(&node->tasks, flow->source);
    if (task && task->conn)
        conn_update_pause(node, task->conn);
}

static uint64_t unacked(const struct flow *flow)
{
    return flow->unacked[FLOW_READ] + flow->unacked[FLOW_SMALL] + flow->unacked[FLOW_LENT];
}

static void flow_free(struct flow *flow)
{
    mem_free(flow->runs);
    mem_free(flow);
}

static void flow_destroy(struct node *node, struct flow *flow)
{
    flow_set_over(node, flow, false);
    node->queued_bytes -= flow->cost;
    map_remove2(&node->flows, flow->peer, flow_key(flow->source, flow->destination));
    struct sender *sender = map_get(&node->senders, flow->source);
    if (sender && --sender->flow_count == 0 && sender->has_ended)
        ghosts_trim(node);
    flow_free(flow);
    conns_queue_shrank(node);
}

static int flow_add(struct node *node, struct flow *flow, enum flow_kind kind, uint64_t bytes)
{
    const uint64_t cost = kind == FLOW_SMALL ? bytes + FLOW_FRAME_COST : 0;
    struct flow_run *last = flow->run_count > flow->first_run ? &flow->runs[flow->run_count - 1]
                                                              : NULL;
    if (last && last->kind == kind) {
        last->bytes += bytes;
        last->cost += cost;
    } else {
        if (flow->first_run && flow->run_count == flow->run_capacity) {
            flow->run_count -= flow->first_run;
            memmove(flow->runs, flow->runs + flow->first_run,
                    flow->run_count * sizeof(*flow->runs));
            flow->first_run = 0;
        }
        if (mem_grow((void **)&flow->runs, &flow->run_capacity, flow->run_count + 1,
                     sizeof(*flow->runs)) < 0)
            return -1;
        flow->runs[flow->run_count++] = (struct flow_run){bytes, cost, kind};
    }
    flow->unacked[kind] += bytes;
    flow->cost += cost;
    node->queued_bytes += cost;
    return 0;
}

/* A task that may share memory sends by its socket only until it does: the first message shall not
 * wait for its receiver, nor the request to share that comes behind it. */
static bool may_share(const struct node *node, uint32_t tid)
{
    const struct task *task = task_find(&node->tasks, tid);
    return task && task->conn && task->conn->share_index;
}

static enum flow_kind kind_of(const struct node *node, const struct frame *frame)
{
    if (frame->is_lent)
        return FLOW_LENT;
    return frame->by_pair || may_share(node, frame->source) ? FLOW_SMALL : FLOW_READ;
}

void flow_send(struct node *node, uint64_t peer, const struct frame *frame)
{
    const enum flow_kind kind = kind_of(node, frame);
    const uint64_t bytes = FRAME_HEADER_BYTES + frame->body.length;
    struct flow *flow = flow_get(node, peer, frame->source, frame->destination);
    if (!flow || flow_add(node, flow, kind, bytes) < 0) {
        node_fatal(node, "no memory for a flow");
        return;
    }
    struct effect *effect = node_effect(node, EFFECT_PEER_FRAME);
    effect->peer = peer;
    effect->frame = frame_hold(frame);
    if (flow->unacked[FLOW_READ] > node->config.flow_window_bytes)
        flow_set_over(node, flow, true);
}

/* What arrives is what was sent first, but for a few frames that overtake each other on the way:
 * the sums are right in the end. */
static void take_runs(struct node *node, struct flow *flow, uint64_t count)
{
    while (count > 0 && flow->first_run < flow->run_count) {
        struct flow_run *run = &flow->runs[flow->first_run];
        const uint64_t part = MIN_OF(count, run->bytes);
        const uint64_t cost = run->cost / run->bytes * part +
                              run->cost % run->bytes * part / run->bytes;
        run->bytes -= part;
        run->cost -= cost;
        flow->unacked[run->kind] -= part;
        flow->cost -= cost;
        node->queued_bytes -= cost;
        count -= part;
        if (run->bytes == 0 && ++flow->first_run == flow->run_count)
            flow->first_run = flow->run_count = 0;
    }
}

void flow_acked(struct node *node, const struct event *event)
{
    struct flow *flow = flow_find(node, event->peer, event->source, event->destination);
    if (!flow)
        return;
    take_runs(node, flow, event->count);
    if (unacked(flow) == 0) {
        flow_destroy(node, flow);
        return;
    }
    if (flow->unacked[FLOW_READ] <= node->config.flow_window_bytes / 2)
        flow_set_over(node, flow, false);
    conns_queue_shrank(node);
}

void flow_reset(struct node *node, const struct event *event)
{
    struct flow *flow = flow_find(node, event->peer, event->source, event->destination);
    if (event->source == node_daemon_tid(node))
        sender_forget(node->own, event->destination);
    if (flow)
        flow_destroy(node, flow);
}

void flows_forget_peer(struct node *node, uint64_t peer)
{
    for (size_t i = node->flows.count; i-- > 0;) {
        struct flow *flow = node->flows.entries[i].value;
        if (flow->peer == peer)
            flow_destroy(node, flow);
    }
}

void flows_fini(struct node *node)
{
    for (size_t i = 0; i < node->flows.count; i++)
        flow_free(node->flows.entries[i].value);
    map_fini(&node->flows);
}
