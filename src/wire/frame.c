/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames between tasks and daemons: see the header. */
#include "wire/frame.h"

#include "base/check.h"

#include <string.h>

void frame_header_encode(const struct frame *frame, uint8_t bytes[FRAME_HEADER_BYTES])
{
    struct wr wr;
    wr_init_fixed(&wr, bytes, FRAME_HEADER_BYTES);
    wr_u32(&wr, (uint32_t)frame->body.length);
    wr_u8(&wr, (uint8_t)frame->kind);
    wr_u8(&wr, frame->flags);
    wr_u16(&wr, 0);
    wr_u32(&wr, frame->source);
    wr_u32(&wr, frame->destination);
    wr_u64(&wr, frame->sequence);
    CHECK(!wr.bad);
}

/* Flags each kind may carry and the longest body: one row per kind. */
static const struct {
    uint8_t flags_allowed;
    uint8_t flags_required;
    uint32_t body_bytes_max;
} frame_rules[] = {
    [FRAME_CONTROL] = {0, 0, FRAME_CONTROL_BYTES_MAX},
    [FRAME_DATA] = {FRAME_FIRST | FRAME_LAST, 0, FRAME_BODY_BYTES_MAX},
    [FRAME_MCAST] = {FRAME_FIRST | FRAME_LAST, 0, FRAME_BODY_BYTES_MAX},
    [FRAME_NOTICE] = {FRAME_FIRST | FRAME_LAST, FRAME_FIRST | FRAME_LAST, FRAME_BODY_BYTES_MAX},
    [FRAME_ABORT] = {0, 0, 0},
};

int frame_header_decode(const uint8_t bytes[FRAME_HEADER_BYTES], struct frame_header *header)
{
    struct rd rd = rd_init(bytes, FRAME_HEADER_BYTES);
    uint32_t length = rd_u32(&rd);
    uint8_t kind = rd_u8(&rd);
    uint8_t flags = rd_u8(&rd);
    uint16_t zero = rd_u16(&rd);
    if (kind < FRAME_CONTROL || kind > FRAME_ABORT || zero != 0 ||
        (flags & ~frame_rules[kind].flags_allowed) ||
        (flags & frame_rules[kind].flags_required) != frame_rules[kind].flags_required ||
        length > frame_rules[kind].body_bytes_max)
        return -1;
    *header = (struct frame_header){
        .length = length, .kind = (enum frame_kind)kind, .flags = flags};
    header->source = rd_u32(&rd);
    header->destination = rd_u32(&rd);
    header->sequence = rd_u64(&rd);
    return 0;
}

int frame_from_raw(struct slice raw, struct frame *frame)
{
    struct frame_header header;
    if (raw.length < FRAME_HEADER_BYTES || frame_header_decode(raw.data, &header) < 0 ||
        header.length != raw.length - FRAME_HEADER_BYTES)
        return -1;
    *frame = (struct frame){
        .kind = header.kind,
        .flags = header.flags,
        .source = header.source,
        .destination = header.destination,
        .sequence = header.sequence,
        .body = slice_part(raw, FRAME_HEADER_BYTES, header.length),
        .raw = slice_hold(raw),
    };
    return 0;
}

int frame_make_raw(struct frame *frame)
{
    if (frame->raw.buf)
        return 0;
    struct buf *buf = buf_create(FRAME_HEADER_BYTES + frame->body.length);
    if (!buf)
        return -1;
    frame_header_encode(frame, buf->data);
    if (frame->body.length)
        memcpy(buf->data + FRAME_HEADER_BYTES, frame->body.data, frame->body.length);
    frame->raw = slice_of(buf, 0, buf->capacity);
    buf_drop(buf);
    return 0;
}

struct frame frame_hold(const struct frame *frame)
{
    struct frame held = *frame;
    held.body = slice_hold(frame->body);
    held.raw = slice_hold(frame->raw);
    return held;
}

void frame_drop(struct frame *frame)
{
    slice_drop(&frame->body);
    slice_drop(&frame->raw);
}

void message_head_write(struct wr *wr, const struct message_head *head)
{
    wr_u32(wr, head->encoding);
    wr_u32(wr, (uint32_t)head->tag);
    wr_u32(wr, head->context);
    wr_u32(wr, head->wait_id);
    wr_u64(wr, head->length);
}

int message_head_read(struct rd *rd, struct message_head *head)
{
    head->encoding = rd_u32(rd);
    head->tag = (int32_t)rd_u32(rd);
    head->context = rd_u32(rd);
    head->wait_id = rd_u32(rd);
    head->length = rd_u64(rd);
    return rd_ok(rd) && head->length <= INT32_MAX ? 0 : -1;
}
