/* SPDX-License-Identifier: BSD-3-Clause */
/* Multicasts to many hosts: who passes them on, what is kept meanwhile, and what happens when a
 * relay goes. See core/mcast.h. */
#include "base/mem.h"
#include "core/flow.h"
#include "core/mcast.h"
#include "core/member.h"

#include <string.h>

enum { MCAST_HAS = 0, MCAST_ALONE = 1, MCAST_REFUSED = 2 }; /* DM_MCAST.what */

static bool is_own(const struct mcast *mcast)
{
    return mcast->peer == 0;
}

/* A host of the table with a link: of one that was removed only the link may be left. */
static bool can_reach(const struct node *node, uint64_t epoch)
{
    return host_by_epoch(&node->hosts, epoch) && peer_find(node, epoch);
}

/* ---- who ---- */

/* The other hosts of the list that can be reached. 0, -1 without memory. */
static int find_hosts(struct node *node, struct mcast *mcast)
{
    struct map seen;
    int status = 0;
    map_init(&seen);
    size_t capacity = 0;
    for (size_t i = 0; i < mcast->count && status == 0; i++) {
        const struct host *host = host_by_tid(&node->hosts, mcast->entries[i].tid);
        if (!host || node_is_own_tid(node, mcast->entries[i].tid) ||
            map_get(&seen, host->info.epoch) || !peer_find(node, host->info.epoch))
            continue;
        status = map_put(&seen, host->info.epoch, mcast);
        if (status == 0)
            status = mem_grow((void **)&mcast->hosts, &capacity, mcast->host_count + 1,
                              sizeof(*mcast->hosts));
        if (status == 0) {
            mcast->hosts[mcast->host_count] = (struct mcast_host){
                .number = host->info.number, .epoch = host->info.epoch,
                .behind = mcast->host_count};
            mcast->host_count++;
        }
    }
    map_fini(&seen);
    return status;
}

static bool is_slow(const struct node *node, const struct mcast_host *host)
{
    const struct peer *peer = peer_find(node, host->epoch);
    return peer && peer->direct_until_ns > node->now_ns;
}

/* The source: |width| groups of hosts that follow each other in the list, the first of each is the
 * relay. */
static void choose_relays(struct node *node, struct mcast *mcast)
{
    size_t width = node->config.mcast_width ? node->config.mcast_width : MCAST_WIDTH;
    size_t fast = 0, at = 0, relay = 0, group = SIZE_MAX;
    for (size_t i = 0; i < mcast->host_count; i++)
        fast += !is_slow(node, &mcast->hosts[i]);
    if (fast <= width)
        return;
    mcast->is_tree = true;
    for (size_t i = 0; i < mcast->host_count; i++) {
        struct mcast_host *host = &mcast->hosts[i];
        if (is_slow(node, host))
            continue;
        if (at * width / fast != group) {
            group = at * width / fast;
            relay = i;
        } else {
            host->behind = relay;
            mcast->hosts[relay].is_awaited = true;
        }
        at++;
    }
}

int mcast_plan(struct node *node, struct mcast *mcast)
{
    if (find_hosts(node, mcast) < 0)
        return -1;
    if (is_own(mcast)) {
        choose_relays(node, mcast);
        return 0;
    }
    mcast->is_tree = mcast->host_count > 0;
    for (size_t i = 0; i < mcast->host_count; i++) {
        struct mcast_host *host = &mcast->hosts[i];
        host->is_awaited = true;
        host->is_passed_over =
            flow_is_over(node, host->epoch, mcast->source, tid_of_daemon(host->number));
    }
    return 0;
}

/* ---- sending ---- */

/* Is a receiver on |number| to be in the list for |host|: there, or behind it? */
static bool is_for(const struct mcast *mcast, size_t host, uint32_t number)
{
    if (mcast->hosts[host].number == number)
        return true;
    for (size_t i = 0; mcast->hosts[host].is_awaited && i < mcast->host_count; i++) {
        if (mcast->hosts[i].number == number)
            return mcast->hosts[i].behind == host;
    }
    return false;
}

/* The body of a first frame: the list for |host|, then the bytes. |resumed| other than 0: the index
 * of the fragment that comes next. */
static struct slice body_for_host(const struct mcast *mcast, size_t host, uint64_t resumed,
                                  struct slice rest)
{
    struct wr wr;
    struct slice body = {0};
    uint32_t count = resumed ? 1 : 0;
    for (size_t i = 0; i < mcast->count; i++)
        count += is_for(mcast, host, tid_host_number(mcast->entries[i].tid));
    wr_init(&wr);
    wr_u32(&wr, count);
    if (resumed) {
        wr_u32(&wr, 0);
        wr_u64(&wr, resumed);
    }
    for (size_t i = 0; i < mcast->count; i++) {
        if (!is_for(mcast, host, tid_host_number(mcast->entries[i].tid)))
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
                         uint64_t resumed, struct slice rest, size_t to)
{
    const struct mcast_host *host = &mcast->hosts[to];
    bool is_first = frame->flags & FRAME_FIRST;
    struct frame copy = {.kind = frame->kind, .flags = frame->flags, .source = mcast->source,
                         .destination = tid_of_daemon(host->number),
                         .sequence = mcast->number, .by_pair = frame->by_pair,
                         .is_lent = frame->is_lent && !is_first};
    if (!can_reach(node, host->epoch))
        return;
    copy.body = is_first ? body_for_host(mcast, to, resumed, rest) : slice_hold(rest);
    if (is_first && !copy.body.buf)
        node_fatal(node, "no memory for a multicast");
    else
        flow_send(node, host->epoch, &copy);
    frame_drop(&copy);
}

void mcast_pass_on(struct node *node, struct mcast *mcast, const struct frame *frame,
                   struct slice rest)
{
    for (size_t i = 0; i < mcast->host_count; i++) {
        struct mcast_host *host = &mcast->hosts[i];
        if (host->behind != i || host->is_passed_over)
            continue;
        host->since_ns = node->now_ns;
        send_to_host(node, mcast, frame, 0, rest, i);
    }
}

/* ---- keeping ---- */

/* So many fragments all have that are waited for, and this host. */
static uint64_t confirmed_by_all(const struct mcast *mcast)
{
    uint64_t least = mcast->seen;
    for (size_t i = 0; i < mcast->host_count; i++) {
        if (mcast->hosts[i].is_awaited)
            least = MIN_OF(least, mcast->hosts[i].confirmed);
    }
    return least;
}

static bool is_awaiting(const struct mcast *mcast)
{
    for (size_t i = 0; i < mcast->host_count; i++) {
        if (mcast->hosts[i].is_awaited)
            return true;
    }
    return false;
}

void mcast_keep(struct node *node, struct mcast *mcast, const struct frame *frame,
                struct slice rest, struct credit *credit)
{
    if (!is_awaiting(mcast)) {
        mcast->kept_from = mcast->seen + 1;
        credit_drop(node, credit);
        return;
    }
    if (mem_grow((void **)&mcast->kept, &mcast->kept_capacity, mcast->kept_count + 1,
                 sizeof(*mcast->kept)) < 0) {
        credit_drop(node, credit);
        node_fatal(node, "no memory for a multicast");
        return;
    }
    struct mcast_kept *kept = &mcast->kept[mcast->kept_count++];
    *kept = (struct mcast_kept){.credit = credit};
    if (!is_own(mcast))
        return;
    kept->frame = (struct frame){.kind = frame->kind, .flags = frame->flags,
                                 .by_pair = frame->by_pair, .is_lent = frame->is_lent,
                                 .body = slice_hold(rest)};
}

static void kept_drop(struct node *node, struct mcast_kept *kept)
{
    frame_drop(&kept->frame);
    if (node)
        credit_drop(node, kept->credit);
    else
        mem_free(kept->credit);
}

static void kept_trim(struct node *node, struct mcast *mcast)
{
    uint64_t until = is_awaiting(mcast) ? confirmed_by_all(mcast) : mcast->seen;
    size_t count = 0;
    while (count < mcast->kept_count && mcast->kept_from + count < until)
        kept_drop(node, &mcast->kept[count++]);
    if (count == 0)
        return;
    mcast->kept_from += count;
    mcast->kept_count -= count;
    memmove(mcast->kept, mcast->kept + count, mcast->kept_count * sizeof(*mcast->kept));
}

void mcast_destroy(struct node *node, struct mcast *mcast)
{
    for (size_t i = 0; i < mcast->kept_count; i++)
        kept_drop(node, &mcast->kept[i]);
    list_remove(&mcast->link);
    mem_free(mcast->kept);
    mem_free(mcast->hosts);
    mem_free(mcast->entries);
    mem_free(mcast);
}

/* ---- telling ---- */

static void tell(struct node *node, uint64_t peer, const struct mcast *mcast, uint8_t what,
                 uint64_t count)
{
    struct message message = {.type = DM_MCAST,
                              .dm_mcast = {.source = mcast->source, .number = mcast->number,
                                           .what = what, .count = count}};
    if (can_reach(node, peer))
        node_send(node, peer, &message);
}

/* A relay tells the source, a host behind one tells the relay; who has it from the source and
 * passes nothing on need not. */
static void report(struct node *node, struct mcast *mcast)
{
    if (is_own(mcast) || (mcast->peer == mcast->source_epoch && !mcast->is_tree))
        return;
    uint64_t count = confirmed_by_all(mcast);
    if (count <= mcast->told ||
        (mcast->untold_bytes < MCAST_TELL_BYTES && !(mcast->is_whole && count == mcast->seen)))
        return;
    mcast->told = count;
    mcast->untold_bytes = 0;
    tell(node, mcast->peer, mcast, MCAST_HAS, count);
}

bool mcast_settle(struct node *node, struct mcast *mcast)
{
    kept_trim(node, mcast);
    report(node, mcast);
    if (mcast->is_tree)
        mcast_watch(node);
    if (!mcast->is_whole || (is_awaiting(mcast) && confirmed_by_all(mcast) < mcast->seen))
        return false;
    if (!is_own(mcast)) {
        node->mcasts_done[node->mcasts_done_next++ % MCASTS_DONE] =
            (struct mcast_name){mcast->source, mcast->number};
        map_remove2(&node->mcasts_in, mcast->source, mcast->number);
    } else if (mcast->is_tree)
        map_remove2(&node->mcasts_out, mcast->source, mcast->number);
    mcast_destroy(node, mcast);
    return true;
}

void mcast_stand_alone(struct node *node, struct mcast *mcast)
{
    for (size_t i = 0; i < mcast->host_count; i++)
        mcast->hosts[i].is_awaited = false;
    mcast->host_count = 0;
    mcast->told = UINT64_MAX;
    kept_trim(node, mcast);
}

void mcast_refuse(struct node *node, uint64_t peer, const struct frame *frame)
{
    struct mcast mcast = {.source = frame->source, .number = frame->sequence};
    tell(node, peer, &mcast, MCAST_REFUSED, 0);
}

/* ---- the source does it itself ---- */

/* The fragments from |from| on to host |to|, which has those before. */
static void send_kept(struct node *node, struct mcast *mcast, size_t to, uint64_t from)
{
    if (from > 0 && from < mcast->seen) {
        struct frame first = {.kind = FRAME_MCAST, .flags = FRAME_FIRST};
        send_to_host(node, mcast, &first, from, (struct slice){0}, to);
    }
    for (uint64_t i = MAX_OF(from, mcast->kept_from); i < mcast->seen; i++) {
        const struct frame *frame = &mcast->kept[i - mcast->kept_from].frame;
        send_to_host(node, mcast, frame, 0, frame->body, to);
    }
}

/* Those behind |relay| get it from here from now on. */
static void take_over(struct node *node, struct mcast *mcast, size_t relay)
{
    mcast->hosts[relay].is_awaited = false;
    for (size_t i = 0; i < mcast->host_count; i++) {
        if (i == relay || mcast->hosts[i].behind != relay)
            continue;
        mcast->hosts[i].behind = i;
        /* While more is to come, the stream must begin again even if nothing is missing. */
        uint64_t from = mcast->hosts[relay].confirmed;
        if (from == mcast->seen && from > 0 && !mcast->is_whole) {
            struct frame first = {.kind = FRAME_MCAST, .flags = FRAME_FIRST};
            send_to_host(node, mcast, &first, from, (struct slice){0}, i);
        } else {
            send_kept(node, mcast, i, from);
        }
    }
}

static void mark_slow(struct node *node, const struct mcast *mcast, size_t relay)
{
    for (size_t i = 0; i < mcast->host_count; i++) {
        struct peer *peer =
            mcast->hosts[i].behind == relay ? peer_find(node, mcast->hosts[i].epoch) : NULL;
        if (peer)
            peer->direct_until_ns = node->now_ns + MCAST_SLOW_NS;
    }
}

/* So long may nothing happen. Of a few bytes it will be told only when more come. */
static uint64_t patience_ns(const struct mcast *mcast, const struct mcast_host *host)
{
    uint64_t bytes = 0;
    for (uint64_t i = host->confirmed; i < mcast->seen; i++)
        bytes += mcast->kept[i - mcast->kept_from].frame.body.length;
    bool is_due = mcast->is_whole || bytes >= 2 * MCAST_TELL_BYTES;
    return is_due ? MCAST_STALL_NS : MCAST_IDLE_NS;
}

static void stalls_find(struct node *node, struct mcast *mcast)
{
    for (size_t i = 0; i < mcast->host_count; i++) {
        const struct mcast_host *host = &mcast->hosts[i];
        if (!host->is_awaited || host->confirmed == mcast->seen ||
            node->now_ns < host->since_ns + patience_ns(mcast, host))
            continue;
        node_log(node, LOG_LEVEL_INFO, "multicast %llu of t%x: host %u does not pass it on",
                 (unsigned long long)mcast->number, (unsigned)mcast->source, host->number);
        mark_slow(node, mcast, i);
        tell(node, host->epoch, mcast, MCAST_ALONE, 0);
        take_over(node, mcast, i);
    }
}

/* A relay to which nothing was said for so long that the source must have seen to it: perhaps it
 * said so before the first fragment came here. */
static bool is_stuck(const struct node *node, const struct mcast *mcast)
{
    uint64_t since_ns = 0;
    for (size_t i = 0; i < mcast->host_count; i++)
        since_ns = MAX_OF(since_ns, mcast->hosts[i].since_ns);
    return mcast->host_count && node->now_ns >= since_ns + MCAST_STUCK_NS;
}

void mcast_watch(struct node *node)
{
    if (node->mcast_timer.heap.position == HEAP_NOT_QUEUED &&
        timer_set(node, &node->mcast_timer, node->now_ns + MCAST_STALL_NS / 2) < 0)
        node_fatal(node, "no memory for a timer");
}

void mcast_timer(struct node *node, struct timer *timer)
{
    (void)timer;
    for (size_t i = node->mcasts_out.count; i-- > 0;) {
        struct mcast *mcast = node->mcasts_out.entries[i].value;
        stalls_find(node, mcast);
        mcast_settle(node, mcast);
    }
    for (size_t i = node->mcasts_in.count; i-- > 0;) {
        struct mcast *mcast = node->mcasts_in.entries[i].value;
        if (!mcast->is_tree)
            continue;
        if (is_stuck(node, mcast))
            mcast_stand_alone(node, mcast);
        mcast_settle(node, mcast);
    }
}

/* ---- what others say, and their end ---- */

static struct mcast_host *awaited_find(struct mcast *mcast, uint64_t epoch)
{
    for (size_t i = 0; i < mcast->host_count; i++) {
        if (mcast->hosts[i].epoch == epoch && mcast->hosts[i].is_awaited)
            return &mcast->hosts[i];
    }
    return NULL;
}

void mcast_message(struct node *node, uint64_t peer, const struct message *message)
{
    const struct wire_dm_mcast *said = &message->dm_mcast;
    struct mcast *mcast = node_is_own_tid(node, said->source)
                              ? map_get2(&node->mcasts_out, said->source, said->number)
                              : map_get2(&node->mcasts_in, said->source, said->number);
    if (!mcast)
        return; /* it is done with */
    struct mcast_host *host = awaited_find(mcast, peer);
    if (said->what == MCAST_ALONE && mcast->peer == peer) {
        mcast_stand_alone(node, mcast);
    } else if (said->what == MCAST_REFUSED && host && !is_own(mcast)) {
        host->is_awaited = false;
    } else if (said->what == MCAST_HAS && host && said->count > host->confirmed &&
               said->count <= mcast->seen) {
        host->confirmed = said->count;
        host->since_ns = node->now_ns;
    } else {
        return;
    }
    mcast_settle(node, mcast);
}

static void incoming_without(struct node *node, struct mcast *mcast, uint64_t peer)
{
    if (mcast->source_epoch == peer) {
        map_remove2(&node->mcasts_in, mcast->source, mcast->number);
        mcast_destroy(node, mcast);
        return;
    }
    struct mcast_host *host = awaited_find(mcast, peer);
    if (host)
        host->is_awaited = false;
    if (host)
        mcast_settle(node, mcast);
}

void mcasts_forget_peer(struct node *node, uint64_t peer)
{
    for (size_t i = node->mcasts_in.count; i-- > 0;)
        incoming_without(node, node->mcasts_in.entries[i].value, peer);
    for (size_t i = node->mcasts_out.count; i-- > 0;) {
        struct mcast *mcast = node->mcasts_out.entries[i].value;
        struct mcast_host *host = awaited_find(mcast, peer);
        if (host) {
            take_over(node, mcast, (size_t)(host - mcast->hosts));
            mcast_settle(node, mcast);
        }
    }
}
