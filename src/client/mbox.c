/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mailboxes as the library sees them (API-63 to API-69): messages to bytes and back, and the
 * requests. In a mailbox a message is: tid of who put it (u32), message head, body.
 */
#include "base/mem.h"
#include "client/state.h"

#include <string.h>

enum { INFO_HEAD_BYTES = 4 + MESSAGE_HEAD_BYTES, FLAG_FIRST_AVAIL = 8 };

static bool name_is_good(const char *name)
{
    return name && *name && strlen(name) <= WIRE_MBOX_NAME_BYTES_MAX;
}

/* ---- messages to bytes and back ---- */

/* One copy of the whole, to be freed; *length says how long. NULL: too long, or no memory. */
static uint8_t *info_write(const struct client *client, const struct msg *msg, size_t *length)
{
    uint8_t *bytes = NULL;
    *length = INFO_HEAD_BYTES + msg->length;
    if (*length <= WIRE_MBOX_BYTES_MAX)
        bytes = mem_alloc(*length);
    if (!bytes)
        return NULL;
    const bool in_place = msg->encoding == ENCODING_IN_PLACE;
    const struct message_head head = {
        .encoding = in_place ? client->config.signature : msg->encoding,
        .tag = msg->tag,
        .context = (uint32_t)msg->context,
        .wait_id = (uint32_t)msg->wait_id,
        .length = msg->length,
    };
    struct wr wr;
    wr_init_fixed(&wr, bytes, *length);
    wr_u32(&wr, (uint32_t)client->identity.tid);
    message_head_write(&wr, &head);
    for (size_t i = 0; i < msg->fragment_count; i++)
        wr_bytes(&wr, msg->fragments[i].slice.data, msg->fragments[i].slice.length);
    CHECK(!wr.bad && wr.length == *length);
    return bytes;
}

static struct msg *info_read(struct client *client, const struct wire_bytes *bytes, int *error)
{
    struct rd rd = rd_init(bytes->data, bytes->length);
    struct message_head head = {0};
    const uint32_t source = rd_u32(&rd);
    *error = CLIENT_PvmBadMsg;
    if (!rd_ok(&rd) || message_head_read(&rd, &head) < 0 || head.length != rd_left(&rd))
        return NULL;
    const uint32_t encoding =
        head.encoding == ENCODING_IN_PLACE ? client->config.signature : head.encoding;
    struct msg *msg = msg_create(&client->pool, encoding);
    *error = CLIENT_PvmNoMem;
    if (!msg)
        return NULL;
    msg->tag = head.tag;
    msg->context = (int)head.context;
    msg->wait_id = (int)head.wait_id;
    msg->source = (int)source;
    msg->is_complete = true;
    if (msg_append(msg, rd.at, rd_left(&rd)) == 0)
        return msg;
    msg_destroy(msg);
    return NULL;
}

int client_take_info(struct client *client, const struct wire_tm_info *info)
{
    int error;
    struct msg *msg = info_read(client, &info->message, &error);
    if (!msg)
        return error;
    const int mid = bufs_give_mid(client, msg);
    if (mid < 0) {
        msg_destroy(msg);
        return mid;
    }
    client_setrbuf(client, mid);
    return mid;
}

int client_info_value(struct client *client, const struct wire_tm_info *info, int *value)
{
    int error;
    int number;
    struct msg *msg = info_read(client, &info->message, &error);
    if (!msg)
        return error;
    if (unpack_items(client, msg, CLIENT_INT, &number, 1, 1) == 0 && value)
        *value = number;
    msg_destroy(msg);
    return 0;
}

/* ---- requests ---- */

static int put_msg(struct client *client, const char *name, const struct msg *msg, int index,
                   int flags)
{
    size_t length;
    uint8_t *bytes = info_write(client, msg, &length);
    if (!bytes)
        return CLIENT_PvmNoMem;
    struct message request = {.type = TM_PUTINFO,
                              .tm_putinfo = {.name = name,
                                             .index = index,
                                             .flags = (uint32_t)flags,
                                             .message = {bytes, length}}};
    const int wait = client_request(client, &request);
    mem_free(bytes);
    return wait;
}

int client_putinfo(struct client *client, const char *name, int mid, int flags)
{
    if (!name_is_good(name))
        return CLIENT_PvmBadParam;
    const struct msg *msg = bufs_find(client, mid);
    return msg ? put_msg(client, name, msg, -1, flags) : CLIENT_PvmNoSuchBuf;
}

int client_insert(struct client *client, const char *name, int index, int flags, int value)
{
    if (!name_is_good(name) || index < -1)
        return CLIENT_PvmBadParam;
    int status;
    struct msg *msg = bufs_make(client, 0, &status);
    if (!msg)
        return status;
    status = pack_items(client, msg, CLIENT_INT, &value, 1, 1);
    if (status == 0)
        status = put_msg(client, name, msg, index, flags);
    msg_destroy(msg);
    return status;
}

int client_recvinfo(struct client *client, const char *name, int index, int flags)
{
    if (!name_is_good(name) || index < 0)
        return CLIENT_PvmBadParam;
    struct message request = {
        .type = TM_RECVINFO,
        .tm_recvinfo = {.name = name, .index = index, .flags = (uint32_t)flags}};
    return client_request(client, &request);
}

int client_lookup(struct client *client, const char *name, int index)
{
    if (index < -1)
        return CLIENT_PvmBadParam;
    return index < 0 ? client_recvinfo(client, name, 0, FLAG_FIRST_AVAIL)
                     : client_recvinfo(client, name, index, 0);
}

int client_delinfo(struct client *client, const char *name, int index, int flags)
{
    if (!name_is_good(name) || index < 0)
        return CLIENT_PvmBadParam;
    struct message request = {
        .type = TM_DELINFO,
        .tm_delinfo = {.name = name, .index = index, .flags = (uint32_t)flags}};
    return client_request(client, &request);
}

int client_listinfo(struct client *client, const char *pattern)
{
    struct message request = {.type = TM_LISTINFO,
                              .tm_listinfo = {.pattern = pattern ? pattern : ""}};
    return client_request(client, &request);
}

int client_resetinfo(struct client *client, const char *name, int index, const int *tids,
                     size_t count)
{
    struct message request = {
        .type = TM_RESETINFO,
        .tm_resetinfo = {.name = name ? name : "",
                         .index = index,
                         .tids = {.count = count, .items = (const uint32_t *)tids}}};
    return client_request(client, &request);
}
