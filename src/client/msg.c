/* SPDX-License-Identifier: BSD-3-Clause */
/* The body of a message: see the header. */
#include "client/msg.h"

#include "base/mem.h"

#include <string.h>

enum { POOL_MESSAGES_MAX = 256 };

static bool is_small(const struct msg *msg)
{
    return msg->fragment_count == 1 && msg->first.kind == FRAGMENT_SMALL &&
           msg->fragments == &msg->first;
}

struct msg *msg_create(struct msg_pool *pool, uint32_t encoding)
{
    struct msg *msg = pool ? pool->free : NULL;
    if (msg) {
        pool->free = msg->next_free;
        pool->free_count--;
    } else if (!(msg = mem_alloc(sizeof(*msg)))) {
        return NULL;
    }
    /* Field by field: a call of memset() would cost more than all the rest of a short message, and
     * the bytes of |small| need none of it. */
    list_init(&msg->link);
    msg->mid = 0;
    msg->is_queued = msg->is_reading = msg->is_complete = msg->is_torn = false;
    msg->sequence = msg->time = 0;
    msg->queue_slot = msg->length_due = 0;
    msg->encoding = encoding;
    msg->tag = msg->context = msg->wait_id = msg->crc = 0;
    msg->source = msg->destination = 0;
    msg->fragments = &msg->first;
    msg->fragment_count = 0;
    msg->fragment_capacity = 1;
    msg->first = (struct fragment){0};
    msg->length = 0;
    msg_rewind(msg);
    msg->pool = pool;
    msg->next_free = NULL;
    return msg;
}

void msg_clear(struct msg *msg)
{
    if (is_small(msg))
        msg->fragment_count = 0;
    for (size_t i = 0; i < msg->fragment_count; i++)
        slice_drop(&msg->fragments[i].slice);
    msg->fragment_count = 0;
    msg->length = 0;
    msg_rewind(msg);
}

void msg_destroy(struct msg *msg)
{
    if (!msg)
        return;
    list_remove(&msg->link);
    msg_clear(msg);
    if (msg->fragments != &msg->first)
        mem_free(msg->fragments);
    struct msg_pool *pool = msg->pool;
    if (!pool || pool->free_count == POOL_MESSAGES_MAX) {
        mem_free(msg);
        return;
    }
    msg->next_free = pool->free;
    pool->free = msg;
    pool->free_count++;
}

void msg_pool_clear(struct msg_pool *pool)
{
    while (pool->free) {
        struct msg *msg = pool->free;
        pool->free = msg->next_free;
        mem_free(msg);
    }
    pool->free_count = 0;
}

static struct fragment *fragment_add(struct msg *msg)
{
    if (msg->fragment_count == msg->fragment_capacity) {
        if (msg->fragments == &msg->first) {
            struct fragment *fragments = mem_calloc(8, sizeof(*fragments));
            if (!fragments)
                return NULL;
            fragments[0] = msg->first;
            msg->fragments = fragments;
            msg->fragment_capacity = 8;
        } else if (mem_grow((void **)&msg->fragments, &msg->fragment_capacity,
                            msg->fragment_count + 1, sizeof(struct fragment)) < 0) {
            return NULL;
        }
    }
    struct fragment *fragment = &msg->fragments[msg->fragment_count++];
    *fragment = (struct fragment){0};
    return fragment;
}

/* Bytes that may still be packed into the last fragment: none when somebody else, as an outbox,
 * reads its buffer. */
static size_t open_room(const struct msg *msg)
{
    if (msg->fragment_count == 0)
        return 0;
    const struct fragment *last = &msg->fragments[msg->fragment_count - 1];
    if (last->kind == FRAGMENT_SMALL)
        return MSG_SMALL_BYTES - last->slice.length;
    if (last->kind != FRAGMENT_OWN || last->slice.buf->references != 1)
        return 0;
    return last->slice.buf->capacity - last->slice.length;
}

/* Small messages stay small, large ones reach full fragments after few steps. */
static struct buf *fragment_buf(const struct msg *msg, size_t wanted)
{
    size_t size = MSG_FRAGMENT_BYTES_FIRST;
    for (size_t i = 0; i < msg->fragment_count && size < MSG_ROUTED_BYTES_MAX; i++)
        size *= 4;
    size = MIN_OF(MAX_OF(size, wanted), (size_t)MSG_ROUTED_BYTES_MAX);
    struct buf *buf = NULL;
    if (msg->pool && msg->pool->room)
        buf = msg->pool->room(msg->pool->context, size);
    return buf ? buf : buf_create(MIN_OF(size, (size_t)MSG_FRAGMENT_BYTES_MAX));
}

static struct fragment *fragment_own(struct msg *msg, struct buf *buf)
{
    struct fragment *fragment = buf ? fragment_add(msg) : NULL;
    if (!fragment) {
        buf_drop(buf);
        return NULL;
    }
    fragment->kind = FRAGMENT_OWN;
    fragment->slice = (struct slice){.buf = buf, .data = buf->data, .length = 0};
    return fragment;
}

/* The small body moves into a buffer with room for |wanted| more. 0 or -1. */
static int outgrow(struct msg *msg, size_t wanted)
{
    const size_t length = msg->first.slice.length;
    msg->fragment_count = 0;
    struct buf *buf = fragment_buf(msg, length + wanted);
    struct fragment *fragment = fragment_own(msg, buf);
    if (!fragment) {
        msg->fragment_count = 1;
        return -1;
    }
    memcpy(buf->data, msg->small, length);
    fragment->slice.length = length;
    return 0;
}

uint8_t *msg_room(struct msg *msg, size_t wanted, size_t *room)
{
    size_t open = open_room(msg);
    if (open == 0 || (open < wanted && is_small(msg))) {
        if (is_small(msg)) {
            if (outgrow(msg, wanted) < 0)
                return NULL;
        } else if ((msg->fragment_count > 0 || !msg_room_short(msg, wanted)) &&
                   !fragment_own(msg, fragment_buf(msg, wanted))) {
            return NULL;
        }
        open = open_room(msg);
    }
    *room = MIN_OF(open, wanted);
    const struct slice *last = &msg->fragments[msg->fragment_count - 1].slice;
    return (uint8_t *)(uintptr_t)last->data + last->length;
}

/* Fixed sizes: no call for a few bytes. Reads and writes nothing beyond |length|. */
static void copy_short(uint8_t *to, const uint8_t *from, size_t length)
{
    if (length == 4)
        memcpy(to, from, 4);
    else if (length == 8)
        memcpy(to, from, 8);
    else
        memcpy(to, from, length);
}

int msg_append(struct msg *msg, const void *bytes, size_t length)
{
    if (length == 0)
        return 0;
    uint8_t *place = msg->fragment_count == 0 ? msg_room_short(msg, length) : NULL;
    if (place) {
        copy_short(place, bytes, length);
        msg_commit(msg, length);
        return 0;
    }
    const uint8_t *at = bytes;
    while (length > 0) {
        size_t room;
        uint8_t *space = msg_room(msg, length, &room);
        if (!space)
            return -1;
        memcpy(space, at, room);
        msg_commit(msg, room);
        at += room;
        length -= room;
    }
    return 0;
}

int msg_append_slice(struct msg *msg, struct slice slice)
{
    if (is_small(msg) && outgrow(msg, 0) < 0)
        return -1;
    struct fragment *fragment = fragment_add(msg);
    if (!fragment)
        return -1;
    fragment->kind = slice.buf ? FRAGMENT_SHARED : FRAGMENT_IN_PLACE;
    fragment->slice = slice_hold(slice);
    msg->length += slice.length;
    return 0;
}

int msg_append_body(struct msg *msg, const struct msg *from, size_t copied_bytes,
                    bool share_in_place)
{
    for (size_t i = 0; i < from->fragment_count; i++) {
        const struct fragment *fragment = &from->fragments[i];
        const bool share = fragment->slice.buf
                               ? fragment->slice.length > copied_bytes
                               : fragment->kind == FRAGMENT_IN_PLACE && share_in_place;
        if (share ? msg_append_slice(msg, fragment->slice)
                  : msg_append(msg, fragment->slice.data, fragment->slice.length))
            return -1;
    }
    return 0;
}

struct msg_mark msg_mark(const struct msg *msg)
{
    struct msg_mark mark = {.fragment_count = msg->fragment_count, .length = msg->length};
    if (mark.fragment_count)
        mark.last_length = msg->fragments[mark.fragment_count - 1].slice.length;
    return mark;
}

void msg_rollback(struct msg *msg, struct msg_mark mark)
{
    while (msg->fragment_count > mark.fragment_count)
        slice_drop(&msg->fragments[--msg->fragment_count].slice);
    if (mark.fragment_count)
        msg->fragments[mark.fragment_count - 1].slice.length = mark.last_length;
    msg->length = mark.length;
}

const uint8_t *msg_peek(struct msg *msg, size_t *length)
{
    while (msg->read_fragment < msg->fragment_count) {
        const struct slice *slice = &msg->fragments[msg->read_fragment].slice;
        if (msg->read_offset < slice->length) {
            *length = slice->length - msg->read_offset;
            return slice->data + msg->read_offset;
        }
        /* The last one may still grow: a program may read what it is packing. */
        if (msg->read_fragment + 1 == msg->fragment_count)
            break;
        msg->read_fragment++;
        msg->read_offset = 0;
    }
    *length = 0;
    return NULL;
}

void msg_read(struct msg *msg, void *bytes, size_t length)
{
    if (is_small(msg)) {
        copy_short(bytes, msg->small + msg->read_offset, length);
        msg_skip(msg, length);
        return;
    }
    uint8_t *at = bytes;
    while (length > 0) {
        size_t available;
        const uint8_t *data = msg_peek(msg, &available);
        CHECK(data);
        const size_t part = MIN_OF(available, length);
        memcpy(at, data, part);
        msg_skip(msg, part);
        at += part;
        length -= part;
    }
}
