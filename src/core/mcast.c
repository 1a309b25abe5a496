/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames to many: see the header. */
#include "core/mcast.h"

#include "base/mem.h"
#include "core/flow.h"
#include "core/member.h"
#include "core/route.h"

#include <string.h>

static void mcast_destroy(struct mcast *mcast)
{
    if (!mcast)
        return;
    list_remove(&mcast->link);
    mem_free(mcast->entries);
    mem_free(mcast);
}

/* Reads the list of a first fragment; |rest| is the body behind it, borrowed. NULL: it cannot be,
 * or |*no_memory|. */
static struct mcast *read_list(const struct frame *frame, struct slice *rest, bool *no_memory)
{
    struct rd rd = rd_init(frame->body.data, frame->body.length);
    uint32_t count = rd_count(&rd, MCAST_ENTRY_BYTES);
    *no_memory = false;
    if (!rd_ok(&rd) || rd_left(&rd) < (size_t)count * MCAST_ENTRY_BYTES)
        return NULL;
    struct mcast *mcast = mem_calloc(1, sizeof(*mcast));
    struct mcast_entry *entries = mcast ? mem_calloc(count, sizeof(*entries)) : NULL;
    if (!entries) {
        mem_free(mcast);
        *no_memory = true;
        return NULL;
    }
    *mcast = (struct mcast){.source = frame->source, .number = frame->sequence,
                            .entries = entries, .count = count};
    list_init(&mcast->link);
    for (uint32_t i = 0; i < count; i++) {
        entries[i].tid = rd_u32(&rd);
        entries[i].sequence = rd_u64(&rd);
    }
    size_t offset = frame->body.length - rd_left(&rd);
    *rest = frame->body;
    rest->data += offset;
    rest->length -= offset;
    return mcast;
}

/* ---- dealing out ---- */

/* One fragment as data (or an abort) to each receiver on this host. */
static void deal_here(struct node *node, const struct mcast *mcast, const struct frame *frame,
                      struct slice body, struct credit *credit)
{
    struct frame copy = {.kind = frame->kind == FRAME_ABORT ? FRAME_ABORT : FRAME_DATA,
                         .flags = frame->flags, .source = mcast->source, .body = body,
                         .by_pair = frame->by_pair, .is_lent = frame->is_lent};
    for (size_t i = 0; i < mcast->count; i++) {
        if (!node_is_own_tid(node, mcast->entries[i].tid) || !tid_is_task(mcast->entries[i].tid))
            continue;
        copy.destination = mcast->entries[i].tid;
        copy.sequence = mcast->entries[i].sequence;
        route_deliver(node, &copy, credit_hold(credit));
    }
}

/* The body of a first fragment for one host: its part of the list, then the bytes. */
static struct slice body_for_host(const struct mcast *mcast, uint32_t number, struct slice rest)
{
    struct wr wr;
    struct slice body = {0};
    uint32_t count = 0;
    for (size_t i = 0; i < mcast->count; i++)
        count += tid_host_number(mcast->entries[i].tid) == number;
    wr_init(&wr);
    wr_u32(&wr, count);
    for (size_t i = 0; i < mcast->count; i++) {
        if (tid_host_number(mcast->entries[i].tid) != number)
            continue;
        wr_u32(&wr, mcast->entries[i].tid);
        wr_u64(&wr, mcast->entries[i].sequence);
    }
    wr_bytes(&wr, rest.data, rest.length);
    if (!wr.bad)
        body = slice_copy(wr.bytes, wr.length);
    wr_fini(&wr);
    return body;
}

static void send_to_host(struct node *node, const struct mcast *mcast, const struct frame *frame,
                         struct slice rest, const struct host *host)
{
    struct frame copy = {.kind = frame->kind, .flags = frame->flags, .source = mcast->source,
                         .destination = tid_of_daemon(host->info.number),
                         .sequence = mcast->number, .by_pair = frame->by_pair,
                         .is_lent = frame->is_lent && !(frame->flags & FRAME_FIRST)};
    if (frame->flags & FRAME_FIRST)
        copy.body = body_for_host(mcast, host->info.number, rest);
    else
        copy.body = slice_hold(frame->body);
    if ((frame->flags & FRAME_FIRST) && !copy.body.buf)
        node_fatal(node, "no memory for a multicast");
    else if (peer_find(node, host->info.epoch))
        flow_send(node, host->info.epoch, &copy);
    frame_drop(&copy);
}

static bool is_first_of_its_host(const struct mcast *mcast, size_t index)
{
    for (size_t i = index; i-- > 0;) {
        if (tid_host_number(mcast->entries[i].tid) == tid_host_number(mcast->entries[index].tid))
            return false;
    }
    return true;
}

/* One fragment to every host in the list but this one. */
static void send_away(struct node *node, const struct mcast *mcast, const struct frame *frame,
                      struct slice rest)
{
    for (size_t i = 0; i < mcast->count; i++) {
        uint32_t tid = mcast->entries[i].tid;
        const struct host *host = host_by_tid(&node->hosts, tid);
        if (host && !node_is_own_tid(node, tid) && is_first_of_its_host(mcast, i))
            send_to_host(node, mcast, frame, rest, host);
    }
}

/* ---- from a task ---- */

static struct mcast *find_own(const struct sender *sender, uint64_t number)
{
    LIST_EACH(pos, following, &sender->mcasts) {
        struct mcast *mcast = LIST_ENTRY(pos, struct mcast, link);
        if (mcast->number == number)
            return mcast;
    }
    return NULL;
}

static void finish_own(struct node *node, struct sender *sender, struct mcast *mcast)
{
    for (size_t i = 0; i < mcast->count; i++) {
        if (sender_note_complete(sender, mcast->entries[i].tid, mcast->entries[i].sequence) < 0)
            node_fatal(node, "no memory for a multicast");
    }
    if (!list_is_empty(&mcast->link))
        sender->open_count--;
    mcast_destroy(mcast);
}

bool mcast_from_task(struct node *node, struct task *task, const struct frame *frame)
{
    struct sender *sender = task->sender;
    struct slice rest = frame->body;
    struct mcast *mcast = find_own(sender, frame->sequence);
    if (frame->flags & FRAME_FIRST) {
        bool no_memory;
        if (mcast || sender->open_count >= SENDER_OPEN_MAX)
            return false;
        mcast = read_list(frame, &rest, &no_memory);
        if (!mcast && no_memory)
            node_fatal(node, "no memory for a multicast");
        if (!mcast)
            return no_memory;
        if (!(frame->flags & FRAME_LAST)) {
            list_push_back(&sender->mcasts, &mcast->link);
            sender->open_count++;
        }
    }
    if (!mcast)
        return false;
    deal_here(node, mcast, frame, rest, NULL);
    send_away(node, mcast, frame, rest);
    if (frame->flags & FRAME_LAST)
        finish_own(node, sender, mcast);
    return true;
}

void mcasts_abort(struct node *node, struct sender *sender)
{
    LIST_EACH(pos, following, &sender->mcasts) {
        struct mcast *mcast = LIST_ENTRY(pos, struct mcast, link);
        struct frame frame = {.kind = FRAME_ABORT, .source = sender->tid};
        deal_here(node, mcast, &frame, (struct slice){0}, NULL);
        send_away(node, mcast, &frame, (struct slice){0});
        sender->open_count--;
        mcast_destroy(mcast);
    }
}

void mcasts_drop(struct sender *sender)
{
    LIST_EACH(pos, following, &sender->mcasts)
        mcast_destroy(LIST_ENTRY(pos, struct mcast, link));
}

/* ---- from another host ---- */

static void forget_incoming(struct node *node, struct mcast *mcast)
{
    map_remove2(&node->mcasts_in, mcast->source, mcast->number);
    mcast_destroy(mcast);
}

static struct mcast *begin_incoming(struct node *node, uint64_t peer, const struct frame *frame,
                                    struct slice *rest)
{
    bool no_memory;
    struct mcast *old = map_get2(&node->mcasts_in, frame->source, frame->sequence);
    if (old)
        forget_incoming(node, old);
    struct mcast *mcast = read_list(frame, rest, &no_memory);
    if (mcast) {
        mcast->peer = peer;
        no_memory = map_put2(&node->mcasts_in, frame->source, frame->sequence, mcast) < 0;
    }
    if (!no_memory)
        return mcast;
    mcast_destroy(mcast);
    node_fatal(node, "no memory for a multicast");
    return NULL;
}

void mcast_from_peer(struct node *node, uint64_t peer, const struct frame *frame,
                     struct credit *credit)
{
    struct slice rest = frame->body;
    struct mcast *mcast = NULL;
    if (frame->kind == FRAME_MCAST && (frame->flags & FRAME_FIRST))
        mcast = begin_incoming(node, peer, frame, &rest);
    else if (frame->kind == FRAME_MCAST || frame->kind == FRAME_ABORT)
        mcast = map_get2(&node->mcasts_in, frame->source, frame->sequence);
    if (mcast) {
        deal_here(node, mcast, frame, rest, credit);
        if (frame->kind == FRAME_ABORT || (frame->flags & FRAME_LAST))
            forget_incoming(node, mcast);
    } else {
        node->counters.peer_malformed++;
    }
    credit_drop(node, credit);
}

void mcasts_forget_peer(struct node *node, uint64_t peer)
{
    for (size_t i = node->mcasts_in.count; i-- > 0;) {
        struct mcast *mcast = node->mcasts_in.entries[i].value;
        if (mcast->peer == peer)
            forget_incoming(node, mcast);
    }
}

void mcasts_fini(struct node *node)
{
    for (size_t i = 0; i < node->mcasts_in.count; i++)
        mcast_destroy(node->mcasts_in.entries[i].value);
    map_fini(&node->mcasts_in);
}
