/* SPDX-License-Identifier: BSD-3-Clause */
/* What was received and when to acknowledge it: see the header. */
#include "link/acks.h"

enum { UNACKED_COUNT_MAX = 2, UNACKED_BYTES_MAX = 12000 };

void acks_init(struct acks *acks)
{
    *acks = (struct acks){.due_ns = UINT64_MAX};
    ranges_init(&acks->received);
}

void acks_fini(struct acks *acks)
{
    ranges_fini(&acks->received);
}

static uint64_t acks_next_expected(const struct acks *acks)
{
    uint32_t count = acks->received.count;
    return count ? ranges_at(&acks->received, count - 1).end : 0;
}

int acks_record(struct acks *acks, uint64_t number, bool asks, size_t bytes, uint64_t now_ns)
{
    uint64_t expected = acks_next_expected(acks);
    if (ranges_add(&acks->received, number, number + 1) < 0)
        return -1;
    while (acks->received.count > FRAME_ACK_RANGES_MAX)
        ranges_drop_first(&acks->received);
    if (number >= expected)
        acks->largest_ns = now_ns;
    if (!asks)
        return 0;
    acks->unacked_count++;
    acks->unacked_bytes += bytes;
    uint64_t due_ns = now_ns + ACK_DELAY_NS;
    if (number != expected || acks->unacked_count >= UNACKED_COUNT_MAX ||
        acks->unacked_bytes >= UNACKED_BYTES_MAX)
        due_ns = now_ns;
    if (due_ns < acks->due_ns)
        acks->due_ns = due_ns;
    return 0;
}

size_t acks_size(const struct acks *acks)
{
    uint32_t count = acks->received.count;
    if (count == 0)
        return 0;
    size_t size = 1 + 8 + 8 + 2;
    for (uint32_t i = count; i-- > 0;) {
        struct range range = ranges_at(&acks->received, i);
        size += wr_varint_size(range.end - range.begin - 1);
        if (i > 0)
            size += wr_varint_size(range.begin - ranges_at(&acks->received, i - 1).end);
    }
    return size;
}

/* How many ranges, from the largest down, fit |room|. */
static uint32_t acks_fitting(const struct acks *acks, size_t room)
{
    uint32_t count = acks->received.count;
    size_t size = 1 + 8 + 8 + 2;
    for (uint32_t fitting = 0; fitting < count; fitting++) {
        struct range range = ranges_at(&acks->received, count - 1 - fitting);
        size += wr_varint_size(range.end - range.begin - 1);
        if (fitting > 0)
            size += wr_varint_size(ranges_at(&acks->received, count - fitting).begin - range.end);
        if (size > room)
            return fitting;
    }
    return count;
}

uint64_t acks_encode(struct acks *acks, struct wr *wr, size_t room, uint64_t now_ns)
{
    uint32_t count = acks->received.count;
    uint32_t fitting = acks_fitting(acks, room);
    if (fitting == 0)
        return UINT64_MAX;
    struct range top = ranges_at(&acks->received, count - 1);
    wr_u8(wr, FRAME_ACK);
    wr_varint(wr, top.end - 1);
    wr_varint(wr, (now_ns - acks->largest_ns) / 1000);
    wr_varint(wr, fitting - 1);
    wr_varint(wr, top.end - top.begin - 1);
    for (uint32_t i = count - 1; i > count - fitting; i--) {
        struct range range = ranges_at(&acks->received, i - 1);
        wr_varint(wr, ranges_at(&acks->received, i).begin - range.end);
        wr_varint(wr, range.end - range.begin - 1);
    }
    acks->unacked_count = 0;
    acks->unacked_bytes = 0;
    acks->due_ns = UINT64_MAX;
    return top.end - 1;
}

void acks_confirmed(struct acks *acks, uint64_t largest)
{
    /* The range that holds |largest| stays, so that what comes late is still in its place. */
    while (acks->received.count > 1 && ranges_at(&acks->received, 0).end <= largest)
        ranges_drop_first(&acks->received);
}
