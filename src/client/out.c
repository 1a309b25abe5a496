/* SPDX-License-Identifier: BSD-3-Clause */
/* The outbox: frames in the order they are to be sent, pulled whole or as pieces for a vectored
 * write. */
#include "base/mem.h"
#include "client/state.h"

#include <string.h>

static struct out_item *out_at(const struct outbox *out, size_t index)
{
    return &out->items[(out->first + index) & (out->capacity - 1)];
}

int out_reserve(struct outbox *out, size_t count)
{
    if (out->count + count <= out->capacity)
        return 0;
    size_t capacity = out->capacity ? out->capacity : 16;
    while (capacity < out->count + count)
        capacity *= 2;
    struct out_item *items = mem_calloc(capacity, sizeof(*items));
    if (!items)
        return -1;
    for (size_t i = 0; i < out->count; i++)
        items[i] = *out_at(out, i);
    mem_free(out->items);
    out->items = items;
    out->capacity = capacity;
    out->first = 0;
    return 0;
}

void out_put(struct outbox *out, const struct frame_header *header, const struct message_head *head,
             struct slice list, struct slice data, bool is_small)
{
    CHECK(out->count < out->capacity);
    struct out_item *item = out_at(out, out->count++);
    const size_t length = list.length + (head ? MESSAGE_HEAD_BYTES : 0) + data.length;
    item->header = *header;
    item->list = list;
    item->has_head = head != NULL;
    item->small_length = 0;
    item->data = data;
    if (is_small) {
        item->small_length = (uint16_t)data.length;
        memcpy(item->small, data.data, data.length);
        item->data = (struct slice){0};
    }
    item->header.length = (uint32_t)length;
    struct frame frame = {
        .kind = header->kind,
        .flags = header->flags,
        .source = header->source,
        .destination = header->destination,
        .sequence = header->sequence,
        .body = {.length = length},
    };
    frame_header_encode(&frame, item->front);
    if (head) {
        struct wr wr;
        wr_init_fixed(&wr, item->front + FRAME_HEADER_BYTES, MESSAGE_HEAD_BYTES);
        message_head_write(&wr, head);
    }
}

static void out_drop_first(struct outbox *out)
{
    struct out_item *item = out_at(out, 0);
    slice_drop(&item->list);
    slice_drop(&item->data);
    out->first = (out->first + 1) & (out->capacity - 1);
    out->count--;
    out->sent = 0;
}

void out_clear(struct outbox *out)
{
    while (out->count)
        out_drop_first(out);
}

/* The parts of one item in the order of the wire; returns how many. */
static size_t out_parts(const struct out_item *item, struct client_piece parts[4])
{
    size_t count = 0;
    const size_t head = item->has_head ? MESSAGE_HEAD_BYTES : 0;
    if (item->list.length == 0) {
        parts[count++] = (struct client_piece){item->front, FRAME_HEADER_BYTES + head};
    } else {
        parts[count++] = (struct client_piece){item->front, FRAME_HEADER_BYTES};
        parts[count++] = (struct client_piece){item->list.data, item->list.length};
        if (head)
            parts[count++] = (struct client_piece){item->front + FRAME_HEADER_BYTES, head};
    }
    if (item->small_length)
        parts[count++] = (struct client_piece){item->small, item->small_length};
    if (item->data.length)
        parts[count++] = (struct client_piece){item->data.data, item->data.length};
    return count;
}

size_t client_out_pieces(const struct client *client, struct client_piece *pieces, size_t max)
{
    const struct outbox *out = &client->out;
    size_t count = 0, skip = out->sent;
    for (size_t i = 0; i < out->count; i++) {
        struct client_piece parts[4];
        const size_t part_count = out_parts(out_at(out, i), parts);
        for (size_t p = 0; p < part_count; p++) {
            if (skip >= parts[p].length) {
                skip -= parts[p].length;
                continue;
            }
            if (count == max)
                return count;
            pieces[count++] = (struct client_piece){(const uint8_t *)parts[p].data + skip,
                                                    parts[p].length - skip};
            skip = 0;
        }
    }
    return count;
}

void client_out_sent(struct client *client, size_t length)
{
    struct outbox *out = &client->out;
    while (length > 0) {
        CHECK(out->count > 0);
        const size_t left = FRAME_HEADER_BYTES + out_at(out, 0)->header.length - out->sent;
        if (length < left) {
            out->sent += length;
            return;
        }
        length -= left;
        out_drop_first(out);
    }
}

bool client_out_is_empty(const struct client *client)
{
    return client->out.count == 0;
}

int client_pull(struct client *client, struct frame *frame)
{
    struct outbox *out = &client->out;
    if (out->count == 0)
        return 0;
    CHECK(out->sent == 0);
    const struct out_item *item = out_at(out, 0);
    const struct frame_header *header = &item->header;
    struct buf *buf = buf_create(FRAME_HEADER_BYTES + header->length);
    if (!buf)
        return CLIENT_PvmNoMem;
    struct client_piece parts[4];
    const size_t count = out_parts(item, parts);
    uint8_t *at = buf->data;
    for (size_t i = 0; i < count; i++) {
        memcpy(at, parts[i].data, parts[i].length);
        at += parts[i].length;
    }
    *frame = (struct frame){
        .kind = header->kind,
        .flags = header->flags,
        .source = header->source,
        .destination = header->destination,
        .sequence = header->sequence,
        .body = slice_of(buf, FRAME_HEADER_BYTES, header->length),
        .raw = slice_of(buf, 0, buf->capacity),
    };
    buf_drop(buf);
    out_drop_first(out);
    return 1;
}
