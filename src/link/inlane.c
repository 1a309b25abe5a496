/* SPDX-License-Identifier: BSD-3-Clause */
/* The receiving half of a lane: see the header. */
#include "link/inlane.h"

#include "base/mem.h"

#include <string.h>

void inlane_init(struct inlane *lane, uint64_t id, uint32_t source, uint32_t destination,
                 uint64_t window_bytes)
{
    *lane = (struct inlane){.id = id,
                            .source = source,
                            .destination = destination,
                            .limit = window_bytes,
                            .window_bytes = window_bytes};
    list_init(&lane->frames);
}

void inlane_resume(struct inlane *lane, uint64_t end, uint64_t limit)
{
    lane->delivered = lane->highest = lane->consumed = end;
    lane->limit = limit;
}

void inframe_destroy(struct inframe *frame)
{
    if (!frame)
        return;
    buf_drop(frame->buf);
    ranges_fini(&frame->received);
    mem_free(frame);
}

void inlane_discard(struct inlane *lane)
{
    LIST_EACH(node, next, &lane->frames)
    {
        struct inframe *frame = LIST_ENTRY(node, struct inframe, node);
        list_remove(node);
        inframe_destroy(frame);
    }
    lane->hint = NULL;
    lane->held_bytes = 0;
}

static struct inframe *inframe_at(struct list *node)
{
    return LIST_ENTRY(node, struct inframe, node);
}

/* The last node whose unit starts at or before |start|, or the list's head. Parts come in runs, so
 * the search starts where the last one ended. */
static struct list *inlane_find(struct inlane *lane, uint64_t start)
{
    struct list *node = lane->hint ? lane->hint : lane->frames.prev;
    while (node != &lane->frames && inframe_at(node)->start > start)
        node = node->prev;
    while (node->next != &lane->frames && inframe_at(node->next)->start <= start)
        node = node->next;
    return node;
}

/* Where the part belongs: |*place| is its unit's node, or the node after which the unit goes in. */
static enum inlane_result inlane_place(struct inlane *lane, const struct frame_data *data,
                                       uint64_t unit_bytes_max, struct list **place, bool *exists)
{
    if (data->length == 0 || data->length > unit_bytes_max)
        return INLANE_BAD;
    uint64_t end = data->start + data->length;
    if (end <= lane->delivered)
        return INLANE_REPEATED;
    if (data->start < lane->delivered || end > lane->limit)
        return INLANE_BAD;
    struct list *node = inlane_find(lane, data->start);
    *place = node;
    *exists = node != &lane->frames && inframe_at(node)->start == data->start;
    if (*exists)
        return inframe_at(node)->length == data->length ? INLANE_TAKEN : INLANE_BAD;
    if (node != &lane->frames && inframe_at(node)->start + inframe_at(node)->length > data->start)
        return INLANE_BAD;
    if (node->next != &lane->frames && inframe_at(node->next)->start < end)
        return INLANE_BAD;
    return INLANE_TAKEN;
}

enum inlane_result inlane_check(struct inlane *lane, const struct frame_data *data,
                                uint64_t unit_bytes_max)
{
    struct list *place;
    bool exists;
    enum inlane_result result = inlane_place(lane, data, unit_bytes_max, &place, &exists);
    return result == INLANE_REPEATED ? INLANE_TAKEN : result;
}

static struct inframe *inframe_create(const struct frame_data *data)
{
    struct inframe *frame = mem_calloc(1, sizeof(*frame));
    if (!frame)
        return NULL;
    frame->buf = buf_create((size_t)data->length);
    if (!frame->buf) {
        mem_free(frame);
        return NULL;
    }
    frame->start = data->start;
    frame->length = (uint32_t)data->length;
    list_init(&frame->node);
    ranges_init(&frame->received);
    return frame;
}

enum inlane_result inlane_take(struct inlane *lane, const struct frame_data *data,
                               uint64_t unit_bytes_max)
{
    struct list *place = NULL;
    bool exists = false;
    enum inlane_result result = inlane_place(lane, data, unit_bytes_max, &place, &exists);
    if (result != INLANE_TAKEN)
        return result;
    struct inframe *frame = exists ? inframe_at(place) : inframe_create(data);
    if (!frame)
        return INLANE_NO_MEMORY;
    uint64_t part_end = data->part_offset + data->part_length;
    if (ranges_contains(&frame->received, data->part_offset, part_end))
        return INLANE_REPEATED;
    if (ranges_add(&frame->received, data->part_offset, part_end) < 0)
        return INLANE_NO_MEMORY; /* it cannot be the first part, which needs none */
    memcpy(frame->buf->data + data->part_offset, data->bytes, (size_t)data->part_length);
    if (!exists) {
        list_insert_between(&frame->node, place, place->next);
        lane->held_bytes += frame->length;
    }
    lane->hint = &frame->node;
    if (frame->start + frame->length > lane->highest)
        lane->highest = frame->start + frame->length;
    return INLANE_TAKEN;
}

struct inframe *inlane_next(struct inlane *lane)
{
    struct list *node = list_first(&lane->frames);
    if (!node)
        return NULL;
    struct inframe *frame = inframe_at(node);
    if (frame->start != lane->delivered || !ranges_contains(&frame->received, 0, frame->length))
        return NULL;
    if (lane->hint == node)
        lane->hint = NULL;
    list_remove(node);
    lane->delivered += frame->length;
    lane->held_bytes -= frame->length;
    return frame;
}
