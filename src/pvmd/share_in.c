/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a task published becomes frames for the core. Bodies stay where they are: a frame's body is
 * a slice of the task's memory, given back when the last frame of it is done with. Small ones are
 * copied, for a frame that waits costs as much. See pvmd/share.h.
 */
#include "pvmd/share_state.h"

#include "base/mem.h"
#include "os/clock.h"

#include <string.h>

#define RETRY_NS UINT64_C(10000000)

void feed_drop(struct share *share)
{
    share->feed = (struct feed){0};
}

/* ---- one frame ---- */

static void give(struct share *share, struct slice body, uint8_t flags, bool is_lent)
{
    struct conn *conn = share->conn;
    const struct parcel *parcel = &share->feed.parcel;
    struct event event = {.kind = EVENT_CONN_FRAME, .conn = conn->number};
    event.frame = (struct frame){
        .kind = parcel->is_mcast ? FRAME_MCAST : FRAME_DATA,
        .flags = flags,
        .source = node_conn_tid(conn->daemon->node, conn->number),
        .destination = parcel->is_mcast ? 0 : parcel->party,
        .sequence = parcel->sequence,
        .body = body,
        .by_pair = true,
        .is_lent = is_lent,
    };
    if (is_lent && list_is_empty(&share->lender))
        list_push_back(&conn->daemon->sharing->lenders, &share->lender);
    if (event.frame.source) /* it may have left already */
        daemon_event(conn->daemon, &event);
    frame_drop(&event.frame);
}

static void advance(struct feed *feed, size_t bytes)
{
    feed->left -= bytes;
    feed->offset += bytes;
    if (feed->offset == feed->parcel.pieces[feed->piece].length) {
        feed->piece++;
        feed->offset = 0;
    }
}

/* How much of the body may be copied in one go: up to where a large piece begins. */
static size_t small_length(const struct feed *feed)
{
    const struct parcel *parcel = &feed->parcel;
    size_t total = 0;
    size_t offset = feed->offset;
    for (size_t i = feed->piece; i < parcel->piece_count && total < FRAME_BODY_BYTES_MAX; i++) {
        const size_t rest = parcel->pieces[i].length - offset;
        if (rest > SHARE_COPY_BYTES_MAX)
            break;
        total += rest;
        offset = 0;
    }
    return MIN_OF(total, (size_t)FRAME_BODY_BYTES_MAX);
}

static void copy_pieces(struct feed *feed, struct wr *wr, size_t length)
{
    while (length > 0) {
        const struct slice *piece = &feed->parcel.pieces[feed->piece];
        const size_t part = MIN_OF(piece->length - feed->offset, length);
        wr_bytes(wr, piece->data + feed->offset, part);
        length -= part;
        advance(feed, part);
    }
}

/* Head, the list of a multicast before it, and the body if that is small. 0, -1 without memory. */
static int give_first(struct share *share)
{
    struct feed *feed = &share->feed;
    const struct parcel *parcel = &feed->parcel;
    const struct slice *list = parcel->is_mcast ? &parcel->pieces[0] : NULL;
    const size_t before = (list ? list->length : 0) + MESSAGE_HEAD_BYTES;
    const bool is_small =
        feed->left <= SHARE_COPY_BYTES_MAX && before + feed->left <= FRAME_BODY_BYTES_MAX;
    const struct message_head head = {.encoding = parcel->encoding,
                                      .tag = parcel->tag,
                                      .context = parcel->context,
                                      .wait_id = parcel->wait_id,
                                      .length = feed->left};
    struct buf *buf = buf_create(before + (is_small ? feed->left : 0));
    if (!buf)
        return -1;
    struct wr wr;
    wr_init_fixed(&wr, buf->data, buf->capacity);
    if (list)
        wr_bytes(&wr, list->data, list->length);
    message_head_write(&wr, &head);
    if (parcel->bytes) {
        wr_bytes(&wr, parcel->bytes, feed->left);
        feed->left = 0;
    } else if (is_small) {
        copy_pieces(feed, &wr, feed->left);
    }
    CHECK(!wr.bad && wr.length == buf->capacity);
    const struct slice body = slice_of(buf, 0, buf->capacity);
    buf_drop(buf);
    feed->is_begun = true;
    give(share, body, FRAME_FIRST | (feed->left ? 0 : FRAME_LAST), false);
    return 0;
}

/* A part of a large piece as it lies there, or what is small copied. 0, -1 without memory. */
static int give_next(struct share *share)
{
    struct feed *feed = &share->feed;
    const struct slice *piece = &feed->parcel.pieces[feed->piece];
    const size_t small = small_length(feed);
    struct slice body;
    if (small) {
        struct buf *buf = buf_create(small);
        if (!buf)
            return -1;
        struct wr wr;
        wr_init_fixed(&wr, buf->data, small);
        copy_pieces(feed, &wr, small);
        body = slice_of(buf, 0, small);
        buf_drop(buf);
    } else {
        const size_t part = MIN_OF(piece->length - feed->offset, (size_t)FRAME_BODY_BYTES_MAX);
        body = slice_part(*piece, feed->offset, part);
        advance(feed, part);
    }
    give(share, body, feed->left ? 0 : FRAME_LAST, !small);
    return 0;
}

/* ---- messages ---- */

/* What no program of ours would publish. */
static const char *fault(const struct parcel *parcel)
{
    const bool has_list = parcel->is_mcast && !parcel->bytes && parcel->piece_count > 0;
    const size_t list = has_list ? parcel->pieces[0].length : 0;
    if (parcel->is_mcast &&
        (list == 0 || list > FRAME_BODY_BYTES_MAX - MESSAGE_HEAD_BYTES))
        return "a multicast without a list that can be";
    if (parcel->length - list > INT32_MAX)
        return "a message of 2 GiB or more";
    if (!parcel->is_mcast && parcel->party == 0)
        return "a message to nobody";
    return NULL;
}

static bool begin(struct share *share)
{
    struct feed *feed = &share->feed;
    const char *why = fault(&feed->parcel);
    share->quiet = 0;
    if (why) {
        share_close_pair(share, why);
        return false;
    }
    const bool is_mcast = feed->parcel.is_mcast;
    feed->is_active = true;
    feed->is_begun = false;
    feed->piece = is_mcast ? 1 : 0;
    feed->offset = 0;
    feed->left = feed->parcel.length - (is_mcast ? feed->parcel.pieces[0].length : 0);
    return true;
}

/* Later, when there may be memory. */
static void stall(struct share *share)
{
    struct sharing *sharing = share->conn->daemon->sharing;
    share->is_stalled = true;
    sharing->retry_ns = MIN_OF(sharing->retry_ns, clock_now_ns() + RETRY_NS);
}

enum step { STEP_FRAME, STEP_EMPTY, STEP_STALLED };

static enum step step(struct share *share)
{
    struct feed *feed = &share->feed;
    if (!feed->is_active) {
        switch (shm_pair_receive(share->pair, &feed->parcel)) {
        case SHM_OK:
            break;
        case SHM_NONE:
            return STEP_EMPTY;
        case SHM_NO_MEMORY:
            return STEP_STALLED;
        case SHM_BAD:
            share_close_pair(share, "broke the rules of shared memory");
            return STEP_EMPTY;
        }
        if (!begin(share))
            return STEP_EMPTY;
    }
    if ((feed->is_begun ? give_next(share) : give_first(share)) < 0)
        return STEP_STALLED;
    if (share->pair && feed->is_active && feed->left == 0) {
        feed->is_active = false;
        shm_pair_taken(share->pair);
    }
    return STEP_FRAME;
}

static bool may_read(const struct share *share)
{
    return share && share->pair && !share->is_paused && !share->conn->is_cut &&
           !share->conn->daemon->stopping;
}

bool share_turn(struct conn *conn)
{
    struct share *share = conn->share;
    for (int i = 0; i < SHARE_TURN_FRAMES && may_read(share); i++) {
        switch (step(share)) {
        case STEP_FRAME:
            break;
        case STEP_EMPTY:
            return false;
        case STEP_STALLED:
            stall(share);
            return false;
        }
    }
    return may_read(share) && (share->feed.is_active || shm_pair_has_news(share->pair));
}

bool share_is_read(const struct conn *conn)
{
    const struct share *share = conn->share;
    if (!share || !share->pair || conn->is_cut || conn->daemon->stopping)
        return true;
    return !share->feed.is_active && !shm_pair_has_news(share->pair);
}

bool share_is_paused(const struct conn *conn)
{
    return conn->share && conn->share->is_paused;
}
