/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes the decoder of frames, and what is decoded is encoded again: it must decode to the same.
 * Also plain memory of ranges against a bitmap, since hostile packets reach it directly.
 */
#include "base/check.h"
#include "link/frame.h"
#include "link/ranges.h"

#include <string.h>

static void ack_check(const struct frame_ack *ack)
{
    struct frame_ack walk = *ack;
    uint64_t first = 0, last = UINT64_MAX, before = UINT64_MAX;
    while (frame_ack_next(&walk, &first, &last)) {
        CHECK(first <= last && last < before);
        before = first;
    }
    CHECK(walk.range_count == 0 && rd_ok(&walk.ranges));
}

static void data_check(const struct frame_data *data)
{
    static uint8_t space[70000];
    struct wr wr;
    struct frame again;
    CHECK(data->part_length > 0 && data->part_offset + data->part_length <= data->length);
    if (data->part_length > 65536)
        return;
    wr_init_fixed(&wr, space, sizeof(space));
    frame_encode_data(&wr, data);
    CHECK(!wr.bad && wr.length == frame_data_overhead(data) + data->part_length);
    struct rd rd = rd_init(space, wr.length);
    CHECK(frame_decode(&rd, &again) && rd_done(&rd));
    CHECK(again.data.lane == data->lane && again.data.start == data->start &&
          again.data.length == data->length && again.data.part_offset == data->part_offset &&
          again.data.part_length == data->part_length && again.data.opens == data->opens);
    CHECK(memcmp(again.data.bytes, data->bytes, (size_t)data->part_length) == 0);
}

/* A NOTE, RELAY or RELAYED frame. */
static void encoded_again(const struct frame *frame)
{
    static uint8_t space[70000];
    struct wr wr;
    struct frame again;
    bool is_note = frame->type == FRAME_NOTE;
    uint64_t length = is_note ? frame->note.length : frame->relay.length;
    if (length > 65536)
        return;
    wr_init_fixed(&wr, space, sizeof(space));
    if (is_note)
        frame_encode_note(&wr, frame->note.bytes, (size_t)length);
    else
        frame_encode_relay(&wr, frame->type, frame->relay.name, frame->relay.bytes, (size_t)length);
    CHECK(!wr.bad && wr.length <= FRAME_RELAY_OVERHEAD_MAX + length);
    struct rd rd = rd_init(space, wr.length);
    CHECK(frame_decode(&rd, &again) && rd_done(&rd) && again.type == frame->type);
    if (is_note)
        CHECK(again.note.length == length &&
              memcmp(again.note.bytes, frame->note.bytes, length) == 0);
    else
        CHECK(again.relay.length == length &&
              memcmp(again.relay.name, frame->relay.name, FRAME_NAME_BYTES) == 0 &&
              (length == 0 || memcmp(again.relay.bytes, frame->relay.bytes, length) == 0));
}

/* Each three bytes: what to do, from where, how far. */
static void ranges_fuzz(const uint8_t *bytes, size_t length)
{
    struct ranges set;
    bool bitmap[512] = {false};
    ranges_init(&set);
    for (size_t i = 0; i + 3 <= length; i += 3) {
        uint64_t begin = bytes[i + 1], end = begin + bytes[i + 2];
        bool add = bytes[i] % 2;
        CHECK((add ? ranges_add(&set, begin, end) : ranges_remove(&set, begin, end)) == 0);
        for (uint64_t n = begin; n < end; n++)
            bitmap[n] = add;
    }
    for (uint64_t n = 0; n < 512; n++)
        CHECK(ranges_contains(&set, n, n + 1) == bitmap[n]);
    for (uint32_t i = 1; i < set.count; i++)
        CHECK(ranges_at(&set, i - 1).end < ranges_at(&set, i).begin);
    ranges_fini(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct rd rd = rd_init(bytes, length);
    struct frame frame;
    while (frame_decode(&rd, &frame)) {
        if (frame.type == FRAME_ACK)
            ack_check(&frame.ack);
        if (frame.type == FRAME_NOTE || frame.type == FRAME_RELAY || frame.type == FRAME_RELAYED)
            encoded_again(&frame);
        if (frame.type >= FRAME_CONTROL)
            data_check(&frame.data);
    }
    ranges_fuzz(bytes, length);
    return 0;
}
