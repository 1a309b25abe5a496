/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames to many: see the header. */
#include "core/mcast.h"

#include "base/mem.h"
#include "core/early.h"
#include "core/route.h"

#include <string.h>

/* Reads the list of a first fragment; |rest| is the body behind it, borrowed, |*resumed| the index
 * of the fragment that comes next when that is not 1. NULL: it cannot be, or |*no_memory|. */
static struct mcast *read_list(const struct frame *frame, struct slice *rest, uint64_t *resumed,
                               bool *no_memory)
{
    struct rd rd = rd_init(frame->body.data, frame->body.length);
    uint32_t count = rd_count(&rd, MCAST_ENTRY_BYTES);
    *no_memory = false;
    *resumed = 0;
    if (!rd_ok(&rd) || rd_left(&rd) < (size_t)count * MCAST_ENTRY_BYTES)
        return NULL;
    struct mcast *mcast = mem_calloc(1, sizeof(*mcast));
    struct mcast_entry *entries = mcast ? mem_calloc(count, sizeof(*entries)) : NULL;
    if (!entries) {
        mem_free(mcast);
        *no_memory = true;
        return NULL;
    }
    *mcast = (struct mcast){
        .source = frame->source, .number = frame->sequence, .entries = entries};
    list_init(&mcast->link);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t tid = rd_u32(&rd);
        uint64_t sequence = rd_u64(&rd);
        if (tid == 0)
            *resumed = sequence;
        else
            entries[mcast->count++] = (struct mcast_entry){.tid = tid, .sequence = sequence};
    }
    size_t offset = frame->body.length - rd_left(&rd);
    *rest = frame->body;
    rest->data += offset;
    rest->length -= offset;
    return mcast;
}

/* ---- dealing out ---- */

/* Receivers whose host is yet to come get all fragments as data of their own, in order. */
static void set_apart(const struct node *node, struct mcast *mcast)
{
    for (size_t i = 0; i < mcast->count; i++) {
        struct mcast_entry *entry = &mcast->entries[i];
        entry->is_apart = tid_is_task(entry->tid) && early_may_come(node, entry->tid);
    }
}

/* One fragment as data (or an abort) to each receiver on this host, and to those apart. */
static void deal_here(struct node *node, const struct mcast *mcast, const struct frame *frame,
                      struct slice body, struct credit *credit)
{
    struct frame copy = {.kind = frame->kind == FRAME_ABORT ? FRAME_ABORT : FRAME_DATA,
                         .flags = frame->flags, .source = mcast->source, .body = body,
                         .by_pair = frame->by_pair, .is_lent = frame->is_lent};
    for (size_t i = 0; i < mcast->count; i++) {
        const struct mcast_entry *entry = &mcast->entries[i];
        copy.destination = entry->tid;
        copy.sequence = entry->sequence;
        if (entry->is_apart)
            route_frame(node, &copy);
        else if (node_is_own_tid(node, entry->tid) && tid_is_task(entry->tid))
            route_deliver(node, &copy, credit_hold(credit));
    }
}

/* Fragment number |seen|: dealt out here and passed on. Takes over the reference to |credit|. */
static void handle_fragment(struct node *node, struct mcast *mcast, const struct frame *frame,
                            struct slice rest, struct credit *credit)
{
    deal_here(node, mcast, frame, rest, credit);
    mcast_pass_on(node, mcast, frame, rest);
    mcast_keep(node, mcast, frame, rest, credit);
    mcast->seen++;
    mcast->untold_bytes += frame->body.length;
    mcast->is_whole = frame->kind == FRAME_ABORT || (frame->flags & FRAME_LAST);
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
    list_remove(&mcast->link);
}

/* The first fragment. NULL: |*taken| says whether the task is not to blame. */
static struct mcast *begin_own(struct node *node, struct sender *sender, const struct frame *frame,
                               struct slice *rest, bool *taken)
{
    uint64_t resumed;
    struct mcast *mcast = read_list(frame, rest, &resumed, taken);
    if (mcast && (resumed || mcast_plan(node, mcast) < 0 ||
                  (mcast->is_tree &&
                   map_put2(&node->mcasts_out, mcast->source, mcast->number, mcast) < 0))) {
        *taken = !resumed;
        mcast->is_tree = false;
        mcast_destroy(node, mcast);
        mcast = NULL;
    }
    if (!mcast) {
        if (*taken)
            node_fatal(node, "no memory for a multicast");
        return NULL;
    }
    set_apart(node, mcast);
    if (!(frame->flags & FRAME_LAST)) {
        list_push_back(&sender->mcasts, &mcast->link);
        sender->open_count++;
    }
    return mcast;
}

bool mcast_from_task(struct node *node, struct task *task, const struct frame *frame)
{
    struct sender *sender = task->sender;
    struct slice rest = frame->body;
    struct mcast *mcast = find_own(sender, frame->sequence);
    if (frame->flags & FRAME_FIRST) {
        bool taken;
        if (mcast || sender->open_count >= SENDER_OPEN_MAX ||
            map_get2(&node->mcasts_out, frame->source, frame->sequence))
            return false;
        mcast = begin_own(node, sender, frame, &rest, &taken);
        if (!mcast)
            return taken;
    }
    if (!mcast)
        return false;
    handle_fragment(node, mcast, frame, rest, NULL);
    if (frame->flags & FRAME_LAST)
        finish_own(node, sender, mcast);
    mcast_settle(node, mcast);
    return true;
}

void mcasts_abort(struct node *node, struct sender *sender)
{
    LIST_EACH(pos, following, &sender->mcasts) {
        struct mcast *mcast = LIST_ENTRY(pos, struct mcast, link);
        struct frame frame = {.kind = FRAME_ABORT, .source = sender->tid};
        handle_fragment(node, mcast, &frame, (struct slice){0}, NULL);
        sender->open_count--;
        list_remove(&mcast->link);
        mcast_settle(node, mcast);
    }
}

void mcasts_drop(struct sender *sender)
{
    LIST_EACH(pos, following, &sender->mcasts) {
        struct mcast *mcast = LIST_ENTRY(pos, struct mcast, link);
        list_remove(&mcast->link);
        if (!mcast->is_tree) /* trees: mcasts_fini() */
            mcast_destroy(NULL, mcast);
    }
}

/* ---- from another host ---- */

/* A stream that begins again, from another host: what was passed on before is not any more. */
static struct mcast *adopt(struct node *node, struct mcast *old, uint64_t peer)
{
    old->peer = peer;
    old->next = 0;
    mcast_stand_alone(node, old);
    return old;
}

static bool was_finished(const struct node *node, const struct frame *frame)
{
    for (size_t i = 0; i < MCASTS_DONE; i++) {
        if (node->mcasts_done[i].source == frame->source &&
            node->mcasts_done[i].number == frame->sequence)
            return true;
    }
    return false;
}

/* The first frame of a stream. NULL: there is nothing to do with it. */
static struct mcast *begin_incoming(struct node *node, uint64_t peer, const struct frame *frame,
                                    struct slice *rest, uint64_t *resumed)
{
    bool no_memory;
    const struct host *host = host_by_tid(&node->hosts, frame->source);
    struct mcast *old = map_get2(&node->mcasts_in, frame->source, frame->sequence);
    bool has_from_source = old && old->peer == old->source_epoch && peer != old->peer;
    if (has_from_source || was_finished(node, frame)) { /* it is here by another way */
        node->counters.frames_dropped++;
        mcast_refuse(node, peer, frame);
        return NULL;
    }
    struct mcast *mcast = read_list(frame, rest, resumed, &no_memory);
    if (mcast && (old || *resumed)) { /* a resumed one that is not known was finished here */
        mcast_destroy(node, mcast);
        return old ? adopt(node, old, peer) : NULL;
    }
    if (mcast) {
        mcast->peer = peer;
        mcast->source_epoch = host ? host->info.epoch : 0;
        set_apart(node, mcast);
        no_memory = mcast_plan(node, mcast) < 0 ||
                    map_put2(&node->mcasts_in, frame->source, frame->sequence, mcast) < 0;
    }
    if (!no_memory) {
        node->counters.peer_malformed += !mcast;
        return mcast;
    }
    if (mcast)
        mcast_destroy(node, mcast);
    node_fatal(node, "no memory for a multicast");
    return NULL;
}

static struct mcast *find_incoming(struct node *node, uint64_t peer, const struct frame *frame)
{
    struct mcast *mcast = map_get2(&node->mcasts_in, frame->source, frame->sequence);
    if (frame->kind != FRAME_MCAST && frame->kind != FRAME_ABORT)
        node->counters.peer_malformed++;
    else if (!mcast || mcast->peer != peer) /* finished here, or it comes from another now */
        node->counters.frames_dropped++;
    else
        return mcast;
    return NULL;
}

void mcast_from_peer(struct node *node, uint64_t peer, const struct frame *frame,
                     struct credit *credit)
{
    struct slice rest = frame->body;
    uint64_t resumed = 0;
    bool is_first = frame->kind == FRAME_MCAST && (frame->flags & FRAME_FIRST);
    struct mcast *mcast = is_first ? begin_incoming(node, peer, frame, &rest, &resumed)
                                   : find_incoming(node, peer, frame);
    if (!mcast) {
        credit_drop(node, credit);
        return;
    }
    uint64_t index = mcast->next++;
    if (resumed) {
        mcast->next = resumed;
        credit_drop(node, credit);
    } else if (index != mcast->seen || mcast->is_whole) {
        node->counters.frames_dropped++; /* it was here by another way */
        credit_drop(node, credit);
    } else {
        handle_fragment(node, mcast, frame, rest, credit);
    }
    mcast_settle(node, mcast);
}

void mcasts_fini(struct node *node)
{
    for (size_t i = node->mcasts_in.count; i-- > 0;)
        mcast_destroy(node, node->mcasts_in.entries[i].value);
    map_fini(&node->mcasts_in);
    for (size_t i = node->mcasts_out.count; i-- > 0;)
        mcast_destroy(node, node->mcasts_out.entries[i].value);
    map_fini(&node->mcasts_out);
}
