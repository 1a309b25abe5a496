/* SPDX-License-Identifier: BSD-3-Clause */
/* Message buffers by id: small numbers, used again when freed (API-36 to API-42). */
#include "base/mem.h"
#include "client/state.h"

enum { MIDS_INITIAL = 16 }; /* a power of two, as every capacity after it */

static int bufs_grow(struct client *client)
{
    const size_t capacity = client->mid_capacity ? client->mid_capacity * 2 : MIDS_INITIAL;
    if (capacity > INT32_MAX)
        return -1;
    int *free_mids = mem_realloc(client->free_mids, capacity * sizeof(*free_mids));
    if (!free_mids)
        return -1;
    client->free_mids = free_mids;
    struct msg **mids = mem_realloc(client->mids, capacity * sizeof(*mids));
    if (!mids)
        return -1;
    client->mids = mids;
    /* It grows when no id is free, so the ring is empty and can be filled from its beginning. */
    client->free_mid_first = 0;
    for (size_t mid = client->mid_capacity; mid < capacity; mid++) {
        client->mids[mid] = NULL;
        if (mid > 0)
            client->free_mids[client->free_mid_count++] = (int)mid;
    }
    client->mid_capacity = capacity;
    return 0;
}

int bufs_give_mid(struct client *client, struct msg *msg)
{
    if (msg->mid)
        return msg->mid;
    if (client->free_mid_count == 0 && bufs_grow(client) < 0)
        return CLIENT_PvmNoMem;
    msg->mid = client->free_mids[client->free_mid_first];
    client->free_mid_first = (client->free_mid_first + 1) & (client->mid_capacity - 1);
    client->free_mid_count--;
    client->mids[msg->mid] = msg;
    return msg->mid;
}

void bufs_release(struct client *client, struct msg *msg)
{
    if (msg->mid) {
        client->mids[msg->mid] = NULL;
        const size_t last = client->free_mid_first + client->free_mid_count++;
        client->free_mids[last & (client->mid_capacity - 1)] = msg->mid;
        if (client->thread->send_mid == msg->mid)
            client->thread->send_mid = 0;
        if (client->thread->receive_mid == msg->mid)
            client->thread->receive_mid = 0;
        thread_take(client, msg->mid);
    }
    if (msg->is_queued)
        queue_take(&client->queue, msg);
    msg_destroy(msg);
}

/* CST-4: what is asked for, and what the buffer then carries. */
static int bufs_encoding(const struct client *client, int encoding, uint32_t *wire)
{
    switch (encoding) {
    case 0:
        *wire = ENCODING_XDR;
        return 0;
    case 1:
        *wire = client->config.signature;
        return 0;
    case 2:
        *wire = ENCODING_IN_PLACE;
        return 0;
    case 4:
        *wire = ENCODING_TRACE;
        return 0;
    default:
        return CLIENT_PvmBadParam;
    }
}

struct msg *bufs_make(struct client *client, int encoding, int *error)
{
    uint32_t wire;
    *error = bufs_encoding(client, encoding, &wire);
    if (*error < 0)
        return NULL;
    struct msg *msg = msg_create(&client->pool, wire);
    if (!msg) {
        *error = CLIENT_PvmNoMem;
        return NULL;
    }
    msg->source = client->identity.tid ? client->identity.tid : -1;
    return msg;
}

int client_mkbuf(struct client *client, int encoding)
{
    int error;
    struct msg *msg = bufs_make(client, encoding, &error);
    if (!msg)
        return error;
    const int mid = bufs_give_mid(client, msg);
    if (mid < 0)
        msg_destroy(msg);
    return mid;
}

int client_initsend(struct client *client, int encoding)
{
    const int mid = client_mkbuf(client, encoding);
    if (mid < 0)
        return mid;
    struct msg *previous = bufs_find(client, client->thread->send_mid);
    if (previous)
        bufs_release(client, previous);
    client->thread->send_mid = mid;
    return mid;
}

int client_freebuf(struct client *client, int mid)
{
    if (mid == 0)
        return 0;
    if (mid < 0)
        return CLIENT_PvmBadParam;
    struct msg *msg = bufs_find(client, mid);
    if (!msg)
        return CLIENT_PvmNoSuchBuf;
    bufs_release(client, msg);
    return 0;
}

int client_setsbuf(struct client *client, int mid)
{
    const int previous = client->thread->send_mid;
    if (mid < 0)
        return CLIENT_PvmBadParam;
    if (mid > 0) {
        struct msg *msg = bufs_find(client, mid);
        if (!msg)
            return CLIENT_PvmNoSuchBuf;
        if (client->thread->receive_mid == mid)
            client->thread->receive_mid = 0;
        thread_take(client, mid);
        msg->is_reading = false;
    }
    client->thread->send_mid = mid;
    return previous;
}

int client_setrbuf(struct client *client, int mid)
{
    const int previous = client->thread->receive_mid;
    if (mid < 0)
        return CLIENT_PvmBadParam;
    if (mid > 0) {
        struct msg *msg = bufs_find(client, mid);
        if (!msg)
            return CLIENT_PvmNoSuchBuf;
        if (client->thread->send_mid == mid)
            client->thread->send_mid = 0;
        thread_take(client, mid);
        if (!msg->is_reading)
            msg_rewind(msg);
        msg->is_reading = true;
    }
    client->thread->receive_mid = mid;
    return previous;
}

int client_getsbuf(const struct client *client)
{
    return client->thread->send_mid;
}

int client_getrbuf(const struct client *client)
{
    return client->thread->receive_mid;
}

/* What pieces in place hold is counted only at the receiver (API-41). */
static int bufs_length(const struct msg *msg)
{
    return msg->encoding == ENCODING_IN_PLACE ? 0 : (int)msg->length;
}

int client_bufinfo(const struct client *client, int mid, int *bytes, int *tag, int *tid)
{
    if (mid <= 0)
        return CLIENT_PvmBadParam;
    const struct msg *msg = bufs_find(client, mid);
    if (!msg)
        return CLIENT_PvmNoSuchBuf;
    if (bytes)
        *bytes = bufs_length(msg);
    if (tag)
        *tag = msg->tag;
    if (tid)
        *tid = msg->source;
    return 0;
}

int client_getminfo(const struct client *client, int mid, struct client_minfo *info)
{
    if (mid <= 0)
        return CLIENT_PvmBadParam;
    const struct msg *msg = bufs_find(client, mid);
    if (!msg)
        return CLIENT_PvmNoSuchBuf;
    *info = (struct client_minfo){
        .length = bufs_length(msg),
        .context = msg->context,
        .tag = msg->tag,
        .wait_id = msg->wait_id,
        .encoding = (int)msg->encoding,
        .crc = msg->crc,
        .source = msg->source,
        .destination = msg->destination,
    };
    return 0;
}

int client_setminfo(struct client *client, int mid, const struct client_minfo *info)
{
    if (mid <= 0)
        return CLIENT_PvmBadParam;
    struct msg *msg = bufs_find(client, mid);
    if (!msg)
        return CLIENT_PvmNoSuchBuf;
    queue_changed(&client->queue, msg);
    msg->context = info->context;
    msg->tag = info->tag;
    msg->wait_id = info->wait_id;
    msg->source = info->source;
    msg->destination = info->destination;
    return 0;
}
