/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checked reading and writing of big-endian values: nothing else in the project touches wire bytes.
 *
 * A reader that meets the end, or a count that cannot be, turns bad and stays bad: every later read
 * gives zero. So a decoder reads all its fields and asks rd_ok() once. A writer without memory
 * likewise.
 */
#ifndef WIRE_RW_H
#define WIRE_RW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rd {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

static inline struct rd rd_init(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    return (struct rd){.at = at, .end = length ? at + length : at, .bad = false};
}

static inline bool rd_ok(const struct rd *rd)
{
    return !rd->bad;
}

/* All read, and nothing was wrong. */
static inline bool rd_done(const struct rd *rd)
{
    return !rd->bad && rd->at == rd->end;
}

static inline size_t rd_left(const struct rd *rd)
{
    return rd->bad ? 0 : (size_t)(rd->end - rd->at);
}

/* |length| bytes in place, or NULL (then the reader is bad). */
const uint8_t *rd_bytes(struct rd *rd, size_t length);
uint8_t rd_u8(struct rd *rd);
uint16_t rd_u16(struct rd *rd);
uint32_t rd_u32(struct rd *rd);
uint64_t rd_u64(struct rd *rd);
/* Variable-length integer, 1, 2, 4 or 8 bytes (RFC 9000 section 16). */
uint64_t rd_varint(struct rd *rd);
/* A count that is followed by at least |item_bytes_min| bytes per item; bad when it cannot be. */
uint32_t rd_count(struct rd *rd, size_t item_bytes_min);

/* Writes into memory that grows (wr_init) or into a fixed place (wr_init_fixed; full = bad). */
struct wr {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
    bool fixed;
    bool bad;
};

void wr_init(struct wr *wr);
void wr_init_fixed(struct wr *wr, void *bytes, size_t capacity);
/* Frees what a growing writer holds. */
void wr_fini(struct wr *wr);
/* Room for |length| more bytes, written by the caller; NULL = bad. */
uint8_t *wr_space(struct wr *wr, size_t length);
void wr_bytes(struct wr *wr, const void *bytes, size_t length);
void wr_u8(struct wr *wr, uint8_t value);
void wr_u16(struct wr *wr, uint16_t value);
void wr_u32(struct wr *wr, uint32_t value);
void wr_u64(struct wr *wr, uint64_t value);
void wr_varint(struct wr *wr, uint64_t value);
/* Bytes that wr_varint() would take. */
size_t wr_varint_size(uint64_t value);

#endif
