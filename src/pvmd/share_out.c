/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames for a task become messages in its pair with us: a whole one is copied into a slot or a
 * block of our segment, fragments are gathered in blocks until the last is there. A frame that was
 * copied counts as taken, so only SHARE_WAIT_BYTES may wait in a pair; the rest goes by the socket,
 * which knows when there is room. The receiver's library puts the messages of both in order. See
 * pvmd/share.h.
 */
#include "pvmd/share_state.h"

#include "base/mem.h"
#include "core/tid.h"

#include <string.h>

enum { WAITING_FIRST = 16 };

/* ---- what waits in the pair ---- */

static void waiting_update(struct share *share)
{
    const uint64_t slots = shm_pair_waiting_slots(share->pair); /* also others than messages */
    while (share->waiting_count > slots) {
        share->waiting_bytes -= share->waiting[share->waiting_first];
        share->waiting_first = (share->waiting_first + 1) & (share->waiting_capacity - 1);
        share->waiting_count--;
    }
}

/* Makes room for one more. 0, -1 without memory. */
static int waiting_reserve(struct share *share)
{
    if (share->waiting_count < share->waiting_capacity)
        return 0;
    const size_t capacity = share->waiting_capacity ? share->waiting_capacity * 2 : WAITING_FIRST;
    uint32_t *costs = mem_calloc(capacity, sizeof(*costs));
    if (!costs)
        return -1;
    for (size_t i = 0; i < share->waiting_count; i++)
        costs[i] = share->waiting[(share->waiting_first + i) & (share->waiting_capacity - 1)];
    mem_free(share->waiting);
    share->waiting = costs;
    share->waiting_capacity = capacity;
    share->waiting_first = 0;
    return 0;
}

static bool has_room(struct share *share, size_t length)
{
    waiting_update(share);
    const size_t waiting = share->waiting_bytes + share->gathering_bytes;
    return length <= SHARE_GATHER_BYTES_MAX && waiting_reserve(share) == 0 &&
           (waiting == 0 || waiting + length <= SHARE_WAIT_BYTES);
}

/* ---- publishing ---- */

static bool publish(struct share *share, const struct message_head *head, uint32_t source,
                    uint64_t sequence, const struct slice *pieces, size_t piece_count)
{
    const struct parcel parcel = {.tag = head->tag,
                                  .context = head->context,
                                  .encoding = head->encoding,
                                  .wait_id = head->wait_id,
                                  .party = source,
                                  .sequence = sequence,
                                  .pieces = pieces,
                                  .piece_count = piece_count,
                                  .length = (size_t)head->length};
    const enum shm_result result = shm_pair_send(share->pair, &parcel);
    if (result == SHM_BAD)
        share_close_pair(share, "broke the rules of shared memory");
    if (result != SHM_OK)
        return false;
    const uint32_t cost = (uint32_t)parcel.length + SHARE_SLOT_COST;
    const size_t last = share->waiting_first + share->waiting_count++;
    share->waiting[last & (share->waiting_capacity - 1)] = cost;
    share->waiting_bytes += cost;
    share_ring(share);
    return true;
}

/* ---- gathering ---- */

static struct gather *gather_find(const struct share *share, uint32_t source, uint64_t sequence)
{
    LIST_EACH(pos, following, &share->gathers) {
        struct gather *gather = LIST_ENTRY(pos, struct gather, link);
        if (gather->source == source && gather->sequence == sequence)
            return gather;
    }
    return NULL;
}

static void gather_free(struct share *share, struct gather *gather)
{
    list_remove(&gather->link);
    share->gathering_bytes -= gather->room;
    for (size_t i = 0; i < gather->block_count; i++)
        slice_drop(&gather->blocks[i]);
    mem_free(gather->blocks);
    mem_free(gather);
}

static int take_blocks(struct share *share, struct gather *gather)
{
    struct shm_heap *heap = share->conn->daemon->sharing->own.heap;
    const size_t length = (size_t)gather->head.length;
    const size_t most = length / SHM_BLOCK_BYTES_MAX + 1;
    gather->blocks = mem_calloc(most, sizeof(*gather->blocks));
    if (!gather->blocks)
        return -1;
    for (size_t left = length; left > 0;) {
        struct buf *buf = shm_heap_get(heap, left);
        if (!buf)
            return -1;
        const size_t part = MIN_OF(left, buf->capacity);
        gather->blocks[gather->block_count++] = slice_of(buf, 0, part);
        buf_drop(buf);
        left -= part;
    }
    return 0;
}

static struct gather *gather_begin(struct share *share, const struct frame *frame,
                                   const struct message_head *head)
{
    struct gather *gather = mem_calloc(1, sizeof(*gather));
    if (!gather)
        return NULL;
    gather->source = frame->source;
    gather->sequence = frame->sequence;
    gather->head = *head;
    gather->room = (size_t)head->length;
    share->gathering_bytes += gather->room;
    list_push_back(&share->gathers, &gather->link);
    if (take_blocks(share, gather) == 0)
        return gather;
    gather_free(share, gather);
    return NULL;
}

/* False: more than its head said. */
static bool gather_add(struct gather *gather, const uint8_t *bytes, size_t length)
{
    size_t at = gather->filled;
    if (length > gather->room - at)
        return false;
    gather->filled += length;
    for (size_t i = 0; i < gather->block_count && length > 0; i++) {
        const struct slice *block = &gather->blocks[i];
        if (at >= block->length) {
            at -= block->length;
            continue;
        }
        const size_t part = MIN_OF(length, block->length - at);
        memcpy(block->buf->data + at, bytes, part);
        bytes += part;
        length -= part;
        at = 0;
    }
    return true;
}

/* ---- back to the socket ---- */

static void send_frame(struct share *share, const struct gather *gather, uint8_t flags,
                       struct slice body)
{
    struct conn *conn = share->conn;
    const struct frame frame = {.kind = FRAME_DATA,
                                .flags = flags,
                                .source = gather->source,
                                .destination = node_conn_tid(conn->daemon->node, conn->number),
                                .sequence = gather->sequence,
                                .body = body};
    uint8_t header[FRAME_HEADER_BYTES];
    frame_header_encode(&frame, header);
    if (stream_send(conn->stream, header, sizeof(header), body, CONN_MARK_UNCOUNTED) < 0)
        conn_lost(conn, "no memory for what is sent to it");
    conn_make_ready(conn);
}

static void send_head(struct share *share, const struct gather *gather, bool is_whole)
{
    uint8_t bytes[MESSAGE_HEAD_BYTES];
    struct wr wr;
    wr_init_fixed(&wr, bytes, sizeof(bytes));
    message_head_write(&wr, &gather->head);
    struct slice body = slice_copy(bytes, sizeof(bytes));
    if (body.buf)
        send_frame(share, gather, FRAME_FIRST | (is_whole && !gather->filled ? FRAME_LAST : 0),
                   body);
    else
        conn_lost(share->conn, "no memory for what is sent to it");
    slice_drop(&body);
}

/* What is there of it, as frames; |is_whole|: nothing follows. */
static void gather_to_socket(struct share *share, struct gather *gather, bool is_whole)
{
    send_head(share, gather, is_whole);
    size_t left = gather->filled;
    for (size_t i = 0; i < gather->block_count && left > 0; i++) {
        const struct slice *block = &gather->blocks[i];
        const size_t used = MIN_OF(left, block->length);
        for (size_t at = 0; at < used;) {
            const size_t part = MIN_OF(used - at, (size_t)FRAME_BODY_BYTES_MAX);
            struct slice body = slice_part(*block, at, part);
            at += part;
            left -= part;
            send_frame(share, gather, is_whole && left == 0 ? FRAME_LAST : 0, body);
            slice_drop(&body);
        }
    }
    gather_free(share, gather);
}

void gathers_to_socket(struct share *share)
{
    LIST_EACH(pos, following, &share->gathers)
        gather_to_socket(share, LIST_ENTRY(pos, struct gather, link), false);
}

void gathers_drop(struct share *share)
{
    LIST_EACH(pos, following, &share->gathers)
        gather_free(share, LIST_ENTRY(pos, struct gather, link));
}

/* ---- frames ---- */

static bool write_whole(struct share *share, const struct frame *frame,
                        const struct message_head *head, size_t body_offset)
{
    struct slice piece = frame->body;
    piece.data += body_offset;
    piece.length -= body_offset;
    return piece.length == head->length && has_room(share, piece.length) &&
           publish(share, head, frame->source, frame->sequence, &piece, piece.length ? 1 : 0);
}

static bool write_first(struct share *share, const struct frame *frame)
{
    struct message_head head;
    struct rd rd = rd_init(frame->body.data, frame->body.length);
    if (message_head_read(&rd, &head) < 0)
        return false;
    const size_t offset = frame->body.length - rd_left(&rd);
    if (frame->flags & FRAME_LAST)
        return write_whole(share, frame, &head, offset);
    if (head.length <= rd_left(&rd) || gather_find(share, frame->source, frame->sequence) ||
        !has_room(share, (size_t)head.length))
        return false;
    struct gather *gather = gather_begin(share, frame, &head);
    return gather && gather_add(gather, frame->body.data + offset, rd_left(&rd));
}

static bool write_next(struct share *share, const struct frame *frame)
{
    struct gather *gather = gather_find(share, frame->source, frame->sequence);
    if (!gather)
        return false;
    if (!gather_add(gather, frame->body.data, frame->body.length)) {
        gather_to_socket(share, gather, false);
        return false;
    }
    if (!(frame->flags & FRAME_LAST))
        return true;
    if (gather->filled == gather->room && waiting_reserve(share) == 0 &&
        publish(share, &gather->head, gather->source, gather->sequence, gather->blocks,
                gather->block_count)) {
        gather_free(share, gather);
        return true;
    }
    /* Closing the pair sends what was gathered, without an end. */
    if (share->pair)
        gather_to_socket(share, gather, true);
    return share->pair;
}

/* It will never be complete; the receiver is told by the socket. */
static void forget(struct share *share, const struct frame *frame)
{
    const bool is_host = frame->sequence == 0;
    LIST_EACH(pos, following, &share->gathers) {
        struct gather *gather = LIST_ENTRY(pos, struct gather, link);
        const bool is_meant =
            is_host ? tid_host_number(gather->source) == tid_host_number(frame->source)
                    : gather->source == frame->source && gather->sequence == frame->sequence;
        if (is_meant)
            gather_free(share, gather);
    }
}

bool share_write(struct conn *conn, const struct effect *effect)
{
    struct share *share = conn->share;
    const struct frame *frame = &effect->frame;
    bool is_taken = false;
    if (!share || !share->pair || conn->is_cut)
        return false;
    if (frame->kind == FRAME_ABORT)
        forget(share, frame);
    if (frame->kind != FRAME_DATA || !share->is_heard)
        return false;
    if (frame->flags & FRAME_FIRST)
        is_taken = write_first(share, frame);
    else
        is_taken = write_next(share, frame);
    if (!is_taken)
        return false;
    struct event taken = {.kind = EVENT_CONN_TAKEN, .conn = conn->number,
                          .ticket = effect->ticket};
    daemon_event(conn->daemon, &taken);
    return true;
}
