/* SPDX-License-Identifier: BSD-3-Clause */
/* Counted byte buffers: see the header. */
#include "base/buf.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

static _Thread_local uint64_t live_count;

struct buf *buf_create(size_t capacity)
{
    if (capacity > SIZE_MAX - sizeof(struct buf))
        return NULL;
    struct buf *buf = mem_alloc(sizeof(*buf) + capacity);
    if (!buf)
        return NULL;
    *buf = (struct buf){.references = 1, .capacity = capacity, .data = (uint8_t *)(buf + 1)};
    live_count++;
    return buf;
}

void buf_hold(struct buf *buf)
{
    CHECK(buf->references > 0 && buf->references < UINT32_MAX);
    buf->references++;
}

void buf_drop(struct buf *buf)
{
    if (!buf)
        return;
    CHECK(buf->references > 0);
    if (--buf->references > 0)
        return;
    if (buf->release) {
        buf->release(buf);
        return;
    }
    live_count--;
    mem_free(buf);
}

struct slice slice_of(struct buf *buf, size_t offset, size_t length)
{
    CHECK(offset <= buf->capacity && length <= buf->capacity - offset);
    buf_hold(buf);
    return (struct slice){.buf = buf, .data = buf->data + offset, .length = length};
}

struct slice slice_copy(const void *bytes, size_t length)
{
    if (length == 0)
        return (struct slice){0};
    struct buf *buf = buf_create(length);
    if (!buf)
        return (struct slice){0};
    memcpy(buf->data, bytes, length);
    return (struct slice){.buf = buf, .data = buf->data, .length = length};
}

struct slice slice_hold(struct slice slice)
{
    if (slice.buf)
        buf_hold(slice.buf);
    return slice;
}

struct slice slice_part(struct slice slice, size_t offset, size_t length)
{
    CHECK(offset <= slice.length && length <= slice.length - offset);
    if (slice.buf)
        buf_hold(slice.buf);
    return (struct slice){.buf = slice.buf, .data = slice.data + offset, .length = length};
}

void slice_drop(struct slice *slice)
{
    buf_drop(slice->buf);
    *slice = (struct slice){0};
}

uint64_t buf_live_count(void)
{
    return live_count;
}
