/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packing and unpacking of typed items (API-44, API-45): XDR, native bytes, and pieces in place.
 * Either all items of a call go in (come out) or none.
 */
#include "base/mem.h"
#include "client/state.h"
#include "client/xdr.h"

#include <string.h>

/* Complex numbers are pairs of |parts| items that the conversions see one by one. */
static const struct {
    uint8_t native_bytes; /* of one part */
    uint8_t xdr_bytes;
    uint8_t parts;
    xdr_put_f put;
    xdr_get_f get;
} types[CLIENT_TYPES] = {
    [CLIENT_BYTE] = {1, 1, 1, NULL, NULL},
    [CLIENT_SHORT] = {sizeof(short), 4, 1, xdr_put_short, xdr_get_short},
    [CLIENT_USHORT] = {sizeof(short), 4, 1, xdr_put_short, xdr_get_short}, /* as the original's */
    [CLIENT_INT] = {sizeof(int), 4, 1, xdr_put_32, xdr_get_32},
    [CLIENT_UINT] = {sizeof(int), 4, 1, xdr_put_32, xdr_get_32},
    [CLIENT_LONG] = {sizeof(long), 4, 1, xdr_put_long, xdr_get_long},
    [CLIENT_ULONG] = {sizeof(long), 4, 1, xdr_put_ulong, xdr_get_ulong},
    [CLIENT_FLOAT] = {sizeof(float), 4, 1, xdr_put_32, xdr_get_32},
    [CLIENT_DOUBLE] = {sizeof(double), 8, 1, xdr_put_64, xdr_get_64},
    [CLIENT_CPLX] = {sizeof(float), 4, 2, xdr_put_32, xdr_get_32},
    [CLIENT_DCPLX] = {sizeof(double), 8, 2, xdr_put_64, xdr_get_64},
};
_Static_assert(sizeof(int) == 4 && sizeof(float) == 4 && sizeof(double) == 8 && sizeof(short) == 2,
               "the conversions of client/xdr.c are for these sizes");

enum { GATHER_BYTES = 4096, XDR_ITEM_BYTES_MAX = 16 };

/* The common case, one run into a short body; false = all the rest decides. */
static bool pack_short(const struct client *client, struct msg *msg, enum client_type type,
                       const void *items, int count, int stride)
{
    if (stride != 1 || count <= 0 || count > MSG_SMALL_BYTES)
        return false;
    const bool xdr = msg->encoding == ENCODING_XDR;
    if ((!xdr && msg->encoding != client->config.signature) || (xdr && type == CLIENT_BYTE))
        return false;
    const size_t items_count = (size_t)count * types[type].parts;
    const size_t length = items_count * (xdr ? types[type].xdr_bytes : types[type].native_bytes);
    uint8_t *space = msg_room_short(msg, length);
    if (!space)
        return false;
    if (!xdr)
        memcpy(space, items, length);
    else if (!types[type].put(space, items, items_count))
        return false;
    msg_commit(msg, length);
    return true;
}

size_t pack_native_size(enum client_type type)
{
    return (size_t)types[type].native_bytes * types[type].parts;
}

static bool is_xdr(const struct msg *msg)
{
    return msg->encoding == ENCODING_XDR || msg->encoding == ENCODING_TRACE;
}

/* Native bytes of another kind of machine: only its bytes can be read here. */
static bool is_foreign(const struct client *client, const struct msg *msg)
{
    return !is_xdr(msg) && msg->encoding != ENCODING_IN_PLACE &&
           msg->encoding != client->config.signature;
}

/* ---- packing ---- */

/* |count| items one after the other in memory. */
static int pack_run_xdr(struct msg *msg, enum client_type type, const uint8_t *items, size_t count)
{
    const size_t native = types[type].native_bytes, xdr = types[type].xdr_bytes;
    count *= types[type].parts;
    while (count > 0) {
        size_t room;
        uint8_t *space = msg_room(msg, count * xdr, &room);
        if (!space)
            return CLIENT_PvmNoMem;
        size_t part = room / xdr;
        if (part > 0) {
            if (!types[type].put(space, items, part))
                return CLIENT_PvmOverflow;
            msg_commit(msg, part * xdr);
        } else { /* the fragment ends inside of an item */
            uint8_t item[XDR_ITEM_BYTES_MAX];
            part = 1;
            if (!types[type].put(item, items, 1))
                return CLIENT_PvmOverflow;
            if (msg_append(msg, item, xdr) < 0)
                return CLIENT_PvmNoMem;
        }
        items += part * native;
        count -= part;
    }
    return 0;
}

static int pack_run(struct msg *msg, enum client_type type, const uint8_t *items, size_t count)
{
    if (is_xdr(msg) && type != CLIENT_BYTE)
        return pack_run_xdr(msg, type, items, count);
    return msg_append(msg, items, count * pack_native_size(type)) < 0 ? CLIENT_PvmNoMem : 0;
}

/* Items that lie apart are gathered in handfuls first. */
static int pack_apart(struct msg *msg, enum client_type type, const uint8_t *items, size_t count,
                      ptrdiff_t step)
{
    uint8_t gathered[GATHER_BYTES];
    const size_t size = pack_native_size(type), batch = sizeof(gathered) / size;
    while (count > 0) {
        const size_t part = MIN_OF(count, batch);
        for (size_t i = 0; i < part; i++) {
            memcpy(gathered + i * size, items, size);
            items += step;
        }
        const int status = pack_run(msg, type, gathered, part);
        if (status < 0)
            return status;
        count -= part;
    }
    return 0;
}

static int pack_padding(struct msg *msg, size_t length)
{
    static const uint8_t zero[4];
    return msg_append(msg, zero, (4 - length % 4) % 4) < 0 ? CLIENT_PvmNoMem : 0;
}

static int pack_in_place(struct msg *msg, const void *items, size_t length)
{
    const struct slice piece = {.buf = NULL, .data = items, .length = length};
    if (length == 0)
        return 0;
    return msg_append_slice(msg, piece) < 0 ? CLIENT_PvmNoMem : 0;
}

/* Bytes of the body that |count| items take. */
static uint64_t packed_length(const struct msg *msg, enum client_type type, size_t count)
{
    if (!is_xdr(msg))
        return (uint64_t)count * pack_native_size(type);
    if (type == CLIENT_BYTE)
        return ((uint64_t)count + 3) / 4 * 4;
    return (uint64_t)count * types[type].xdr_bytes * types[type].parts;
}

int pack_items(struct client *client, struct msg *msg, enum client_type type, const void *items,
               int count, int stride)
{
    if (count < 0)
        return CLIENT_PvmBadParam;
    if (is_foreign(client, msg))
        return CLIENT_PvmBadMsg;
    if (msg->encoding == ENCODING_IN_PLACE && stride != 1)
        return CLIENT_PvmNotImpl;
    const uint64_t length = packed_length(msg, type, (size_t)count);
    if (length > MSG_BODY_BYTES_MAX || msg_is_full(msg, (size_t)length))
        return CLIENT_PvmOverflow;
    if (msg->encoding == ENCODING_IN_PLACE)
        return pack_in_place(msg, items, (size_t)length);
    const struct msg_mark mark = msg_mark(msg);
    const ptrdiff_t size = (ptrdiff_t)pack_native_size(type);
    int status = stride == 1 ? pack_run(msg, type, items, (size_t)count)
                             : pack_apart(msg, type, items, (size_t)count, stride * size);
    if (status == 0 && type == CLIENT_BYTE && is_xdr(msg))
        status = pack_padding(msg, (size_t)count);
    if (status < 0)
        msg_rollback(msg, mark);
    return status;
}

int client_pack(struct client *client, enum client_type type, const void *items, int count,
                int stride)
{
    struct msg *msg = bufs_find(client, client->thread->send_mid);
    if (!msg)
        return count < 0 ? CLIENT_PvmBadParam : CLIENT_PvmNoBuf;
    if (pack_short(client, msg, type, items, count, stride))
        return 0;
    return pack_items(client, msg, type, items, count, stride);
}

int client_pack_text(struct client *client, const char *text)
{
    struct msg *msg = bufs_find(client, client->thread->send_mid);
    if (!msg)
        return CLIENT_PvmNoBuf;
    if (!text)
        return CLIENT_PvmBadParam;
    if (msg->encoding == ENCODING_IN_PLACE)
        return CLIENT_PvmNotImpl;
    if (is_foreign(client, msg))
        return CLIENT_PvmBadMsg;
    const size_t size = strlen(text) + 1;
    if (size > MSG_BODY_BYTES_MAX - 8)
        return CLIENT_PvmOverflow;
    const struct msg_mark mark = msg_mark(msg);
    const int length = (int)size;
    int status = pack_items(client, msg, CLIENT_INT, &length, 1, 1);
    if (status == 0)
        status = pack_items(client, msg, CLIENT_BYTE, text, length, 1);
    if (status < 0)
        msg_rollback(msg, mark);
    return status;
}

/* ---- unpacking ---- */

static void unpack_run_xdr(struct msg *msg, enum client_type type, uint8_t *items, size_t count)
{
    const size_t native = types[type].native_bytes, xdr = types[type].xdr_bytes;
    count *= types[type].parts;
    while (count > 0) {
        size_t available;
        const uint8_t *wire = msg_peek(msg, &available);
        size_t part = MIN_OF(available / xdr, count);
        if (part > 0) {
            types[type].get(items, wire, part);
            msg_skip(msg, part * xdr);
        } else {
            uint8_t item[XDR_ITEM_BYTES_MAX];
            part = 1;
            msg_read(msg, item, xdr);
            types[type].get(items, item, 1);
        }
        items += part * native;
        count -= part;
    }
}

static void unpack_run(struct msg *msg, enum client_type type, uint8_t *items, size_t count)
{
    if (is_xdr(msg) && type != CLIENT_BYTE)
        unpack_run_xdr(msg, type, items, count);
    else
        msg_read(msg, items, count * pack_native_size(type));
}

static void unpack_apart(struct msg *msg, enum client_type type, uint8_t *items, size_t count,
                         ptrdiff_t step)
{
    uint8_t gathered[GATHER_BYTES];
    const size_t size = pack_native_size(type), batch = sizeof(gathered) / size;
    while (count > 0) {
        const size_t part = MIN_OF(count, batch);
        unpack_run(msg, type, gathered, part);
        for (size_t i = 0; i < part; i++) {
            memcpy(items, gathered + i * size, size);
            items += step;
        }
        count -= part;
    }
}

static void unpack_padding(struct msg *msg, size_t length)
{
    uint8_t padding[4];
    msg_read(msg, padding, (4 - length % 4) % 4);
}

int unpack_items(struct client *client, struct msg *msg, enum client_type type, void *items,
                 int count, int stride)
{
    if (count < 0)
        return CLIENT_PvmBadParam;
    if (type != CLIENT_BYTE && is_foreign(client, msg))
        return CLIENT_PvmBadMsg;
    if (packed_length(msg, type, (size_t)count) > msg_left(msg))
        return CLIENT_PvmNoData;
    const ptrdiff_t size = (ptrdiff_t)pack_native_size(type);
    if (stride == 1)
        unpack_run(msg, type, items, (size_t)count);
    else
        unpack_apart(msg, type, items, (size_t)count, stride * size);
    if (type == CLIENT_BYTE && is_xdr(msg))
        unpack_padding(msg, (size_t)count);
    return 0;
}

int client_unpack(struct client *client, enum client_type type, void *items, int count, int stride)
{
    struct msg *msg = bufs_find(client, client->thread->receive_mid);
    if (!msg)
        return count < 0 ? CLIENT_PvmBadParam : CLIENT_PvmNoBuf;
    return unpack_items(client, msg, type, items, count, stride);
}

int client_unpack_text(struct client *client, char *text)
{
    return client_unpack_text_bound(client, text, SIZE_MAX);
}

int client_unpack_text_bound(struct client *client, char *text, size_t size_bytes)
{
    struct msg *msg = bufs_find(client, client->thread->receive_mid);
    if (!msg)
        return CLIENT_PvmNoBuf;
    const size_t fragment = msg->read_fragment, offset = msg->read_offset, total = msg->read_total;
    int length;
    int status = unpack_items(client, msg, CLIENT_INT, &length, 1, 1);
    if (status == 0 && length < 0)
        status = CLIENT_PvmBadMsg;
    if (status == 0 && (size_t)length > size_bytes)
        status = CLIENT_PvmOverflow;
    if (status == 0)
        status = unpack_items(client, msg, CLIENT_BYTE, text, length, 1);
    if (status < 0) {
        msg->read_fragment = fragment;
        msg->read_offset = offset;
        msg->read_total = total;
        return status;
    }
    if (length == 0 && size_bytes > 0)
        text[0] = '\0';
    return 0;
}

int pack_type_of(int public_type)
{
    static const int map[] = {
        CLIENT_TYPES,  CLIENT_BYTE,  CLIENT_SHORT, CLIENT_INT,    CLIENT_FLOAT, CLIENT_CPLX,
        CLIENT_DOUBLE, CLIENT_DCPLX, CLIENT_LONG,  CLIENT_USHORT, CLIENT_UINT,  CLIENT_ULONG,
    };
    if (public_type < 0 || public_type >= (int)ARRAY_LEN(map))
        return -1;
    return map[public_type];
}

/* ---- messages inside of messages (API-43) ---- */

enum { PKMESG_FIELDS = 8 };

/* The body of |inner| as (length, bytes) per piece, appended to |msg|. */
static int pkmesg_body(struct client *client, struct msg *msg, const struct msg *inner)
{
    for (size_t i = 0; i < inner->fragment_count; i++) {
        const struct slice *piece = &inner->fragments[i].slice;
        const int length = (int)piece->length;
        if (length == 0)
            continue;
        int status = pack_items(client, msg, CLIENT_INT, &length, 1, 1);
        if (status == 0)
            status = pack_items(client, msg, CLIENT_BYTE, piece->data, length, 1);
        if (status < 0)
            return status;
    }
    return 0;
}

int client_pkmesg(struct client *client, int mid)
{
    if (client->thread->send_mid == 0)
        return CLIENT_PvmNoBuf;
    if (mid <= 0 || mid == client->thread->send_mid)
        return CLIENT_PvmBadParam;
    const struct msg *inner = bufs_find(client, mid);
    if (!inner)
        return CLIENT_PvmNoSuchBuf;
    struct msg *msg = bufs_find(client, client->thread->send_mid);
    if (msg->encoding == ENCODING_IN_PLACE)
        return CLIENT_PvmNotImpl;
    /* What was in place is copied here, and so raw. */
    const int encoding = inner->encoding == ENCODING_IN_PLACE ? (int)client->config.signature
                                                              : (int)inner->encoding;
    const int fields[PKMESG_FIELDS] = {(int)inner->length, inner->context,    inner->tag,
                                       inner->wait_id,     encoding,          inner->crc,
                                       inner->source,      inner->destination};
    const struct msg_mark mark = msg_mark(msg);
    int status = pack_items(client, msg, CLIENT_INT, fields, PKMESG_FIELDS, 1);
    if (status == 0)
        status = pkmesg_body(client, msg, inner);
    if (status < 0)
        msg_rollback(msg, mark);
    return status;
}

int client_pkmesgbody(struct client *client, int mid)
{
    if (client->thread->send_mid == 0)
        return CLIENT_PvmNoBuf;
    if (mid <= 0 || mid == client->thread->send_mid)
        return CLIENT_PvmBadParam;
    const struct msg *inner = bufs_find(client, mid);
    if (!inner)
        return CLIENT_PvmNoSuchBuf;
    struct msg *msg = bufs_find(client, client->thread->send_mid);
    if (msg->encoding != inner->encoding)
        return CLIENT_PvmMismatch;
    if (msg_is_full(msg, inner->length))
        return CLIENT_PvmOverflow;
    const struct msg_mark mark = msg_mark(msg);
    /* Small pieces are copied together: each shared one would become a frame of its own. */
    if (msg_append_body(msg, inner, MSG_COPIED_BYTES, true) < 0) {
        msg_rollback(msg, mark);
        return CLIENT_PvmNoMem;
    }
    return 0;
}

/* Reads |length| bytes of a message body in pieces from |msg| into |inner|. */
static int upkmesg_body(struct client *client, struct msg *msg, struct msg *inner, int length)
{
    while (length > 0) {
        int part;
        int status = unpack_items(client, msg, CLIENT_INT, &part, 1, 1);
        if (status < 0)
            return status;
        if (part <= 0 || part > length)
            return CLIENT_PvmBadMsg;
        if ((size_t)part > msg_left(msg))
            return CLIENT_PvmNoData;
        for (int left = part; left > 0;) {
            size_t room;
            uint8_t *space = msg_room(inner, (size_t)left, &room);
            if (!space)
                return CLIENT_PvmNoMem;
            msg_read(msg, space, room);
            msg_commit(inner, room);
            left -= (int)room;
        }
        if (is_xdr(msg)) {
            if (msg_left(msg) < (size_t)(4 - part % 4) % 4)
                return CLIENT_PvmNoData;
            unpack_padding(msg, (size_t)part);
        }
        length -= part;
    }
    return 0;
}

int client_upkmesg(struct client *client)
{
    struct msg *msg = bufs_find(client, client->thread->receive_mid);
    if (!msg)
        return CLIENT_PvmNoBuf;
    const size_t fragment = msg->read_fragment, offset = msg->read_offset, total = msg->read_total;
    int fields[PKMESG_FIELDS];
    int status = unpack_items(client, msg, CLIENT_INT, fields, PKMESG_FIELDS, 1);
    struct msg *inner = NULL;
    if (status == 0 && (fields[0] < 0 || fields[4] == ENCODING_IN_PLACE))
        status = CLIENT_PvmBadMsg;
    if (status == 0 && !(inner = msg_create(&client->pool, (uint32_t)fields[4])))
        status = CLIENT_PvmNoMem;
    if (status == 0)
        status = upkmesg_body(client, msg, inner, fields[0]);
    if (status == 0)
        status = bufs_give_mid(client, inner);
    if (status < 0) {
        msg_destroy(inner);
        msg->read_fragment = fragment;
        msg->read_offset = offset;
        msg->read_total = total;
        return status;
    }
    inner->context = fields[1];
    inner->tag = fields[2];
    inner->wait_id = fields[3];
    inner->crc = fields[5];
    inner->source = fields[6];
    inner->destination = fields[7];
    return status;
}
