/* SPDX-License-Identifier: BSD-3-Clause */
/* Encoding and decoding of frames: see the header. */
#include "link/frame.h"

#include "base/check.h"

#include <string.h>

bool frame_asks_for_ack(enum frame_type type)
{
    switch (type) {
#define FRAME_CASE(name, value, asks)                                                              \
    case FRAME_##name:                                                                             \
        return asks;
        FRAME_TYPES(FRAME_CASE)
#undef FRAME_CASE
    }
    return false;
}

static bool frame_type_is_known(uint8_t byte)
{
    switch (byte) {
#define FRAME_CASE(name, value, asks) case value:
        FRAME_TYPES(FRAME_CASE)
#undef FRAME_CASE
        return true;
    default:
        return false;
    }
}

/* RFC 9000 section 19.3.1, except that a gap counts the missing numbers plainly (at least one). */
bool frame_ack_next(struct frame_ack *ack, uint64_t *first, uint64_t *last)
{
    uint64_t length = ack->first_length;
    uint64_t top = ack->largest;
    if (*last != UINT64_MAX) {
        if (ack->range_count == 0)
            return false;
        ack->range_count--;
        uint64_t gap = rd_varint(&ack->ranges);
        length = rd_varint(&ack->ranges);
        if (!rd_ok(&ack->ranges) || gap == 0 || *first < gap + 1)
            return false;
        top = *first - gap - 1;
    }
    if (length > top)
        return false;
    *last = top;
    *first = top - length;
    return true;
}

static void decode_ack(struct rd *rd, struct frame_ack *ack)
{
    ack->largest = rd_varint(rd);
    ack->delay_us = rd_varint(rd);
    ack->range_count = rd_varint(rd);
    ack->first_length = rd_varint(rd);
    ack->ranges = *rd;
    uint64_t first = 0, last = UINT64_MAX;
    if (!rd_ok(rd) || ack->range_count >= FRAME_ACK_RANGES_MAX) {
        rd->bad = true;
        return;
    }
    struct frame_ack walk = *ack;
    for (uint64_t i = 0; i <= ack->range_count; i++) {
        if (!frame_ack_next(&walk, &first, &last)) {
            rd->bad = true;
            return;
        }
    }
    *rd = walk.ranges;
}

static void decode_data(struct rd *rd, enum frame_type type, struct frame_data *data)
{
    bool is_flow = type >= FRAME_FLOW;
    bool is_part = is_flow ? type & FRAME_FLAG_PART : type == FRAME_CONTROL_PART;
    *data = (struct frame_data){.opens = is_flow && (type & FRAME_FLAG_OPEN)};
    if (is_flow) {
        data->lane = rd_varint(rd);
        if (data->lane == 0)
            rd->bad = true;
    }
    if (data->opens) {
        data->source = rd_u32(rd);
        data->destination = rd_u32(rd);
    }
    data->start = rd_varint(rd);
    data->length = rd_varint(rd);
    data->part_offset = is_part ? rd_varint(rd) : 0;
    data->part_length = is_part ? rd_varint(rd) : data->length;
    if (data->part_length == 0 || data->part_offset > data->length ||
        data->part_length > data->length - data->part_offset || data->part_length > rd_left(rd)) {
        rd->bad = true;
        return;
    }
    data->bytes = rd_bytes(rd, (size_t)data->part_length);
}

/* A run of zeros: a probe of 64 KiB is nearly all padding, so no frame per byte. */
static size_t decode_padding(struct rd *rd)
{
    const uint8_t *start = rd->at;
    while (rd->at < rd->end && *rd->at == FRAME_PADDING)
        rd->at++;
    return (size_t)(rd->at - start) + 1;
}

static void decode_token(struct rd *rd, uint8_t token[8])
{
    const uint8_t *bytes = rd_bytes(rd, 8);
    if (bytes)
        memcpy(token, bytes, 8);
}

bool frame_decode(struct rd *rd, struct frame *frame)
{
    if (rd_left(rd) == 0)
        return false;
    uint8_t byte = rd_u8(rd);
    if (!frame_type_is_known(byte)) {
        rd->bad = true;
        return false;
    }
    frame->type = (enum frame_type)byte;
    switch (frame->type) {
    case FRAME_PADDING:
        frame->padding = decode_padding(rd);
        break;
    case FRAME_PING:
    case FRAME_GOODBYE:
    case FRAME_TOMBSTONE:
        break;
    case FRAME_NOTE:
        frame->note.length = rd_varint(rd);
        if (frame->note.length == 0)
            rd->bad = true;
        frame->note.bytes = rd_bytes(rd, (size_t)MIN_OF(frame->note.length, (uint64_t)SIZE_MAX));
        break;
    case FRAME_RELAY:
    case FRAME_RELAYED:
        frame->relay.name = rd_bytes(rd, FRAME_NAME_BYTES);
        frame->relay.length = rd_varint(rd);
        frame->relay.bytes = rd_bytes(rd, (size_t)MIN_OF(frame->relay.length, (uint64_t)SIZE_MAX));
        break;
    case FRAME_ACK:
        decode_ack(rd, &frame->ack);
        break;
    case FRAME_PATH_CHALLENGE:
    case FRAME_PATH_RESPONSE:
        decode_token(rd, frame->token);
        break;
    case FRAME_GRANT:
    case FRAME_WANT:
        frame->credit.sequence = rd_varint(rd);
        frame->credit.amount = rd_varint(rd);
        break;
    case FRAME_MAX_PEER:
        frame->flow.lane = 0;
        frame->flow.value = rd_varint(rd);
        break;
    case FRAME_FLOW_RESET:
        frame->flow.lane = rd_varint(rd);
        frame->flow.value = 0;
        break;
    case FRAME_MAX_FLOW:
    case FRAME_FLOW_END:
        frame->flow.lane = rd_varint(rd);
        frame->flow.value = rd_varint(rd);
        break;
    case FRAME_CONTROL:
    case FRAME_CONTROL_PART:
    case FRAME_FLOW:
    case FRAME_FLOW_OPEN:
    case FRAME_FLOW_PART:
    case FRAME_FLOW_OPEN_PART:
        decode_data(rd, frame->type, &frame->data);
        break;
    }
    return rd_ok(rd);
}

void frame_encode_empty(struct wr *wr, enum frame_type type)
{
    wr_u8(wr, (uint8_t)type);
}

void frame_encode_note(struct wr *wr, const void *bytes, size_t length)
{
    wr_u8(wr, FRAME_NOTE);
    wr_varint(wr, length);
    wr_bytes(wr, bytes, length);
}

void frame_encode_relay(struct wr *wr, enum frame_type type, const uint8_t *name,
                        const uint8_t *bytes, size_t length)
{
    wr_u8(wr, (uint8_t)type);
    wr_bytes(wr, name, FRAME_NAME_BYTES);
    wr_varint(wr, length);
    wr_bytes(wr, bytes, length);
}

void frame_encode_token(struct wr *wr, enum frame_type type, const uint8_t token[8])
{
    wr_u8(wr, (uint8_t)type);
    wr_bytes(wr, token, 8);
}

void frame_encode_credit(struct wr *wr, enum frame_type type, uint64_t sequence, uint64_t amount)
{
    wr_u8(wr, (uint8_t)type);
    wr_varint(wr, sequence);
    wr_varint(wr, amount);
}

void frame_encode_flow(struct wr *wr, enum frame_type type, uint64_t lane, uint64_t value)
{
    wr_u8(wr, (uint8_t)type);
    if (type != FRAME_MAX_PEER)
        wr_varint(wr, lane);
    if (type != FRAME_FLOW_RESET)
        wr_varint(wr, value);
}

static bool data_is_part(const struct frame_data *data)
{
    return data->part_length != data->length;
}

void frame_encode_data(struct wr *wr, const struct frame_data *data)
{
    bool is_part = data_is_part(data);
    if (data->lane == 0) {
        wr_u8(wr, is_part ? FRAME_CONTROL_PART : FRAME_CONTROL);
    } else {
        unsigned flags = (data->opens ? FRAME_FLAG_OPEN : 0) | (is_part ? FRAME_FLAG_PART : 0);
        wr_u8(wr, (uint8_t)(FRAME_FLOW | flags));
        wr_varint(wr, data->lane);
    }
    if (data->opens) {
        wr_u32(wr, data->source);
        wr_u32(wr, data->destination);
    }
    wr_varint(wr, data->start);
    wr_varint(wr, data->length);
    if (is_part) {
        wr_varint(wr, data->part_offset);
        wr_varint(wr, data->part_length);
    }
    wr_bytes(wr, data->head, data->head_length);
    wr_bytes(wr, data->bytes, (size_t)data->part_length - data->head_length);
}

size_t frame_data_overhead(const struct frame_data *data)
{
    return 1 + (data->lane ? wr_varint_size(data->lane) : 0) + (data->opens ? 8u : 0) +
           wr_varint_size(data->start) + wr_varint_size(data->length) +
           (data_is_part(data)
                ? wr_varint_size(data->part_offset) + wr_varint_size(data->part_length)
                : 0);
}
