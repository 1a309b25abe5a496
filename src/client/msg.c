/* SPDX-License-Identifier: BSD-3-Clause */
/* The body of a message: see the header. */
#include "client/msg.h"

#include "base/mem.h"

#include <string.h>

struct msg *msg_create(uint32_t encoding)
{
    struct msg *msg = mem_calloc(1, sizeof(*msg));
    if (!msg)
        return NULL;
    list_init(&msg->link);
    msg->encoding = encoding;
    msg->fragments = &msg->first;
    msg->fragment_capacity = 1;
    return msg;
}

void msg_clear(struct msg *msg)
{
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
    mem_free(msg);
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

/* The last fragment when packing may go on in it: nobody else, as an outbox, reads it. */
static struct fragment *fragment_open(struct msg *msg)
{
    if (msg->fragment_count == 0)
        return NULL;
    struct fragment *last = &msg->fragments[msg->fragment_count - 1];
    if (!last->own || last->slice.buf->references != 1 ||
        last->slice.length == last->slice.buf->capacity)
        return NULL;
    return last;
}

/* Small messages stay small, large ones reach full fragments after two steps. */
static size_t fragment_size(const struct msg *msg, size_t wanted)
{
    size_t size = MSG_FRAGMENT_BYTES_FIRST;
    for (size_t i = 0; i < msg->fragment_count && size < MSG_FRAGMENT_BYTES_MAX; i++)
        size *= 4;
    return MIN_OF(MAX_OF(size, wanted), (size_t)MSG_FRAGMENT_BYTES_MAX);
}

uint8_t *msg_room(struct msg *msg, size_t wanted, size_t *room)
{
    struct fragment *open = fragment_open(msg);
    if (!open) {
        struct buf *buf = buf_create(fragment_size(msg, wanted));
        if (!buf)
            return NULL;
        open = fragment_add(msg);
        if (!open) {
            buf_drop(buf);
            return NULL;
        }
        open->own = true;
        open->slice = (struct slice){.buf = buf, .data = buf->data, .length = 0};
    }
    *room = MIN_OF(open->slice.buf->capacity - open->slice.length, wanted);
    return open->slice.buf->data + open->slice.length;
}

void msg_commit(struct msg *msg, size_t length)
{
    msg->fragments[msg->fragment_count - 1].slice.length += length;
    msg->length += length;
}

bool msg_is_full(const struct msg *msg, size_t length)
{
    return length > MSG_BODY_BYTES_MAX - msg->length;
}

int msg_append(struct msg *msg, const void *bytes, size_t length)
{
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
    struct fragment *fragment = fragment_add(msg);
    if (!fragment)
        return -1;
    fragment->slice = slice_hold(slice);
    msg->length += slice.length;
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

void msg_rewind(struct msg *msg)
{
    msg->read_fragment = msg->read_offset = msg->read_total = 0;
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

void msg_skip(struct msg *msg, size_t length)
{
    msg->read_offset += length;
    msg->read_total += length;
}

void msg_read(struct msg *msg, void *bytes, size_t length)
{
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
