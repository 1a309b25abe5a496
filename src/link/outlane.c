/* SPDX-License-Identifier: BSD-3-Clause */
/* The sending half of a lane: see the header. */
#include "link/outlane.h"

#include "base/mem.h"

#include <string.h>

void outlane_init(struct outlane *lane, uint64_t id, uint32_t source, uint32_t destination,
                  uint64_t limit)
{
    *lane = (struct outlane){
        .id = id, .source = source, .destination = destination, .limit = limit};
    list_init(&lane->frames);
    list_init(&lane->pending);
}

void outlane_resume(struct outlane *lane, uint64_t end, uint64_t limit)
{
    lane->end = lane->started_end = end;
    lane->limit = limit;
}

static void outframe_free_if_unused(struct outframe *frame)
{
    if (frame->lane || frame->references)
        return;
    ranges_fini(&frame->to_send);
    ranges_fini(&frame->acked);
    mem_free(frame);
}

/* Off its lane: acknowledged or discarded. */
static void outframe_detach(struct outframe *frame)
{
    frame->lane->unacked_bytes -= frame->length;
    list_remove(&frame->all);
    list_remove(&frame->pending);
    slice_drop(&frame->data);
    frame->lane = NULL;
}

void outlane_discard(struct outlane *lane)
{
    LIST_EACH(node, next, &lane->frames)
    {
        struct outframe *frame = LIST_ENTRY(node, struct outframe, all);
        outframe_detach(frame);
        outframe_free_if_unused(frame);
    }
}

int outlane_write(struct outlane *lane, const void *head, size_t head_length, struct slice data)
{
    const size_t length = head_length + data.length;
    CHECK(head_length <= OUTLANE_HEAD_BYTES_MAX && length > 0 && length <= UINT32_MAX);
    struct outframe *frame = mem_alloc(sizeof(*frame));
    if (!frame)
        return -1;
    *frame = (struct outframe){.lane = lane,
                               .data = slice_hold(data),
                               .head_length = (uint8_t)head_length,
                               .start = lane->end,
                               .length = (uint32_t)length};
    if (head_length)
        memcpy(frame->head, head, head_length);
    ranges_init(&frame->to_send);
    ranges_init(&frame->acked);
    ranges_cover(&frame->to_send, 0, frame->length);
    list_push_back(&lane->frames, &frame->all);
    list_push_back(&lane->pending, &frame->pending);
    lane->end += frame->length;
    lane->unacked_bytes += frame->length;
    return 0;
}

bool outlane_may_send(const struct outlane *lane, const struct outcredit *credit,
                      bool *blocked_by_peer)
{
    if (blocked_by_peer)
        *blocked_by_peer = false;
    if (list_is_empty(&lane->pending))
        return false;
    const struct outframe *frame = LIST_ENTRY(list_first(&lane->pending), struct outframe, pending);
    if (frame->started)
        return true;
    if (frame->start + frame->length > lane->limit)
        return false;
    if (credit && frame->length > credit->limit - credit->started) {
        if (blocked_by_peer)
            *blocked_by_peer = true;
        return false;
    }
    return true;
}

static void outframe_start(struct outframe *frame, struct outcredit *credit)
{
    if (frame->started)
        return;
    frame->started = true;
    frame->lane->started_end = frame->start + frame->length;
    if (credit)
        credit->started += frame->length;
}

/* The part may begin in the head, or behind it. */
static void point_to_bytes(const struct outframe *frame, struct frame_data *data)
{
    const uint64_t head_length = frame->head_length;
    if (data->part_offset >= head_length) {
        data->bytes = frame->data.data + (data->part_offset - head_length);
        return;
    }
    data->head = frame->head + data->part_offset;
    data->head_length = (size_t)MIN_OF(head_length - data->part_offset, data->part_length);
    data->bytes = frame->data.data;
}

/* One part of |frame| into the packet; 0 when there is no room for a sensible one. */
static size_t outframe_fill(struct outframe *frame, struct wr *wr, struct sent_items *items)
{
    struct range range = ranges_at(&frame->to_send, 0);
    struct frame_data data = {
        .lane = frame->lane->id,
        .opens = frame->lane->id != 0 && !frame->lane->opened,
        .source = frame->lane->source,
        .destination = frame->lane->destination,
        .start = frame->start,
        .length = frame->length,
        .part_offset = range.begin,
        .part_length = range.end - range.begin,
    };
    size_t room = wr->capacity - wr->length;
    size_t overhead = frame_data_overhead(&data);
    if (overhead + data.part_length > room) {
        if (room <= FRAME_DATA_OVERHEAD_MAX)
            return 0;
        data.part_length = MIN_OF(data.part_length, (uint64_t)(room - FRAME_DATA_OVERHEAD_MAX));
    }
    point_to_bytes(frame, &data);
    uint64_t part_end = range.begin + data.part_length;
    if (ranges_remove(&frame->to_send, range.begin, part_end) < 0)
        return 0;
    frame_encode_data(wr, &data);
    CHECK(!wr->bad);
    frame->references++;
    items->items[items->count++] = (struct sent_item){SENT_DATA, (uint32_t)data.part_length,
                                                      data.part_offset, frame};
    return (size_t)data.part_length;
}

size_t outlane_fill(struct outlane *lane, struct outcredit *credit, struct wr *wr,
                    struct sent_items *items, size_t budget)
{
    size_t filled = 0;
    while (filled < budget && items->count < items->capacity &&
           outlane_may_send(lane, credit, NULL)) {
        struct outframe *frame = LIST_ENTRY(list_first(&lane->pending), struct outframe, pending);
        size_t part = outframe_fill(frame, wr, items);
        if (part == 0)
            break;
        outframe_start(frame, credit);
        if (ranges_is_empty(&frame->to_send))
            list_remove(&frame->pending);
        filled += part;
    }
    return filled;
}

uint32_t outframe_acked(struct outframe *frame, uint64_t offset, uint32_t length)
{
    if (!frame->lane)
        return 0;
    frame->lane->opened = true;
    if (ranges_add(&frame->acked, offset, offset + length) < 0) {
        /* What cannot be noted as arrived must be sent again. */
        (void)outframe_lost(frame, offset, length);
        return 0;
    }
    /* Fails only for lack of memory: then it is sent once more for nothing. */
    (void)ranges_remove(&frame->to_send, offset, offset + length);
    if (ranges_is_empty(&frame->to_send))
        list_remove(&frame->pending);
    if (!ranges_contains(&frame->acked, 0, frame->length))
        return 0;
    outframe_detach(frame);
    return frame->length;
}

bool outframe_lost(struct outframe *frame, uint64_t offset, uint32_t length)
{
    if (!frame->lane)
        return false;
    ranges_cover(&frame->to_send, offset, offset + length);
    for (uint32_t i = 0; i < frame->acked.count; i++) {
        struct range known = ranges_at(&frame->acked, i);
        if (known.begin < offset + length && known.end > offset)
            (void)ranges_remove(&frame->to_send, known.begin, known.end);
    }
    if (ranges_is_empty(&frame->to_send))
        return false;
    if (list_is_empty(&frame->pending))
        list_push_front(&frame->lane->pending, &frame->pending);
    return true;
}

void outframe_release(struct outframe *frame)
{
    CHECK(frame->references > 0);
    frame->references--;
    outframe_free_if_unused(frame);
}
