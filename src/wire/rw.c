/* SPDX-License-Identifier: BSD-3-Clause */
/* Checked reading and writing of big-endian values: see the header. */
#include "wire/rw.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

const uint8_t *rd_bytes(struct rd *rd, size_t length)
{
    if (rd->bad || (size_t)(rd->end - rd->at) < length) {
        rd->bad = true;
        return NULL;
    }
    const uint8_t *bytes = rd->at;
    if (length)
        rd->at += length;
    return bytes;
}

static uint64_t rd_big_endian(struct rd *rd, size_t length)
{
    const uint8_t *bytes = rd_bytes(rd, length);
    uint64_t value = 0;
    for (size_t i = 0; bytes && i < length; i++)
        value = value << 8 | bytes[i];
    return value;
}

uint8_t rd_u8(struct rd *rd)
{
    return (uint8_t)rd_big_endian(rd, 1);
}

uint16_t rd_u16(struct rd *rd)
{
    return (uint16_t)rd_big_endian(rd, 2);
}

uint32_t rd_u32(struct rd *rd)
{
    return (uint32_t)rd_big_endian(rd, 4);
}

uint64_t rd_u64(struct rd *rd)
{
    return rd_big_endian(rd, 8);
}

uint64_t rd_varint(struct rd *rd)
{
    if (rd_left(rd) == 0) {
        rd->bad = true;
        return 0;
    }
    size_t length = (size_t)1 << (*rd->at >> 6);
    uint64_t value = rd_big_endian(rd, length);
    return value & (UINT64_MAX >> (64 - 8 * length + 2));
}

uint32_t rd_count(struct rd *rd, size_t item_bytes_min)
{
    uint32_t count = rd_u32(rd);
    if (item_bytes_min && count > rd_left(rd) / item_bytes_min) {
        rd->bad = true;
        return 0;
    }
    return count;
}

void wr_init(struct wr *wr)
{
    *wr = (struct wr){0};
}

void wr_init_fixed(struct wr *wr, void *bytes, size_t capacity)
{
    *wr = (struct wr){.bytes = bytes, .capacity = capacity, .fixed = true};
}

void wr_fini(struct wr *wr)
{
    if (!wr->fixed)
        mem_free(wr->bytes);
    wr_init(wr);
}

uint8_t *wr_space(struct wr *wr, size_t length)
{
    if (wr->bad)
        return NULL;
    if (length > wr->capacity - wr->length) {
        if (wr->fixed || length > SIZE_MAX / 2 - wr->length ||
            mem_grow((void **)&wr->bytes, &wr->capacity, wr->length + length, 1) < 0) {
            wr->bad = true;
            return NULL;
        }
    }
    uint8_t *space = wr->bytes + wr->length;
    wr->length += length;
    return space;
}

void wr_bytes(struct wr *wr, const void *bytes, size_t length)
{
    uint8_t *space = length ? wr_space(wr, length) : NULL;
    if (space)
        memcpy(space, bytes, length);
}

static void wr_big_endian(struct wr *wr, uint64_t value, size_t length)
{
    uint8_t *space = wr_space(wr, length);
    for (size_t i = length; space && i-- > 0; value >>= 8)
        space[i] = (uint8_t)value;
}

void wr_u8(struct wr *wr, uint8_t value)
{
    wr_big_endian(wr, value, 1);
}

void wr_u16(struct wr *wr, uint16_t value)
{
    wr_big_endian(wr, value, 2);
}

void wr_u32(struct wr *wr, uint32_t value)
{
    wr_big_endian(wr, value, 4);
}

void wr_u64(struct wr *wr, uint64_t value)
{
    wr_big_endian(wr, value, 8);
}

size_t wr_varint_size(uint64_t value)
{
    if (value < 64)
        return 1;
    if (value < 16384)
        return 2;
    return value < 1073741824 ? 4 : 8;
}

void wr_varint(struct wr *wr, uint64_t value)
{
    static const uint8_t prefix_of_size[9] = {0, 0, 1, 0, 2, 0, 0, 0, 3};
    CHECK(value < (uint64_t)1 << 62);
    size_t size = wr_varint_size(value);
    wr_big_endian(wr, value | (uint64_t)prefix_of_size[size] << (8 * size - 2), size);
}
