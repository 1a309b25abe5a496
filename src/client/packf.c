/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packing by a format (API-46): %[count][.stride][h l u]conversion, c d f x s; "%+" first of all
 * makes a new send buffer. What stands outside of items is skipped.
 */
#include "client/state.h"

/* One item of a format, its arguments still to be taken. */
struct packf_item {
    int count;
    int stride;
    bool is_value; /* neither count nor stride given: the argument is the value itself */
    bool is_short;
    bool is_long;
    bool is_unsigned;
    char conversion;
};

/* A va_list as a member: it can be passed on by pointer whatever type it is. */
struct packf_args {
    va_list list;
};

static int number_at(const char **at, struct packf_args *args, bool *given)
{
    if (**at == '*') {
        (*at)++;
        *given = true;
        return va_arg(args->list, int);
    }
    int value = 0;
    while (**at >= '0' && **at <= '9') {
        const int digit = *(*at)++ - '0';
        value = value > (INT32_MAX - digit) / 10 ? INT32_MAX : value * 10 + digit;
        *given = true;
    }
    return value;
}

/* Reads the item after '%'; the text moves behind it. */
static struct packf_item item_read(const char **at, struct packf_args *args)
{
    struct packf_item item = {.count = 1, .stride = 1, .is_value = true};
    bool given = false;
    const int count = number_at(at, args, &given);
    if (given) {
        item.count = count;
        item.is_value = false;
    }
    if (**at == '.') {
        (*at)++;
        given = false;
        const int stride = number_at(at, args, &given);
        if (given)
            item.stride = stride;
        item.is_value = false;
    }
    for (;; (*at)++) {
        if (**at == 'h')
            item.is_short = true;
        else if (**at == 'l')
            item.is_long = true;
        else if (**at == 'u')
            item.is_unsigned = true;
        else
            break;
    }
    item.conversion = **at;
    if (**at)
        (*at)++;
    return item;
}

/* The type of a numeric conversion, CLIENT_TYPES for the others. */
static enum client_type item_type(const struct packf_item *item)
{
    switch (item->conversion) {
    case 'c':
        return CLIENT_BYTE;
    case 'd':
        if (item->is_long)
            return item->is_unsigned ? CLIENT_ULONG : CLIENT_LONG;
        if (item->is_short)
            return item->is_unsigned ? CLIENT_USHORT : CLIENT_SHORT;
        return item->is_unsigned ? CLIENT_UINT : CLIENT_INT;
    case 'f':
        return item->is_long ? CLIENT_DOUBLE : CLIENT_FLOAT;
    case 'x':
        return item->is_long ? CLIENT_DCPLX : CLIENT_CPLX;
    default:
        return CLIENT_TYPES;
    }
}

/* A value given itself comes as C promotes it. Packing looks at the sign of no type but its own. */
static int pack_value(struct client *client, enum client_type type, struct packf_args *args)
{
    switch (type) {
    case CLIENT_BYTE: {
        const char value = (char)va_arg(args->list, int);
        return client_pack(client, type, &value, 1, 1);
    }
    case CLIENT_SHORT:
    case CLIENT_USHORT: {
        const short value = (short)va_arg(args->list, int);
        return client_pack(client, type, &value, 1, 1);
    }
    case CLIENT_LONG:
    case CLIENT_ULONG: {
        const long value = va_arg(args->list, long);
        return client_pack(client, type, &value, 1, 1);
    }
    case CLIENT_FLOAT: {
        const float value = (float)va_arg(args->list, double);
        return client_pack(client, type, &value, 1, 1);
    }
    case CLIENT_DOUBLE: {
        const double value = va_arg(args->list, double);
        return client_pack(client, type, &value, 1, 1);
    }
    default: {
        const int value = va_arg(args->list, int);
        return client_pack(client, type, &value, 1, 1);
    }
    }
}

static bool in_place_is_active(const struct client *client)
{
    const struct msg *msg = bufs_find(client, client->thread->send_mid);
    return msg && msg->encoding == ENCODING_IN_PLACE;
}

static int pack_item(struct client *client, const struct packf_item *item, struct packf_args *args)
{
    if (item->conversion == 's')
        return client_pack_text(client, va_arg(args->list, const char *));
    const enum client_type type = item_type(item);
    if (type == CLIENT_TYPES)
        return CLIENT_PvmBadParam;
    /* Here a count below zero is none, and no error. */
    if (!item->is_value || item->conversion == 'x')
        return client_pack(client, type, va_arg(args->list, const void *), MAX_OF(item->count, 0),
                           item->stride);
    /* The value would be gone before it is sent. */
    if (in_place_is_active(client))
        return CLIENT_PvmNotImpl;
    return pack_value(client, type, args);
}

static int unpack_item(struct client *client, const struct packf_item *item,
                       struct packf_args *args)
{
    if (item->conversion == 's')
        return client_unpack_text(client, va_arg(args->list, char *));
    const enum client_type type = item_type(item);
    if (type == CLIENT_TYPES)
        return CLIENT_PvmBadParam;
    return client_unpack(client, type, va_arg(args->list, void *), item->count, item->stride);
}

static int items_walk(struct client *client, const char *format, struct packf_args *args,
                      int (*one)(struct client *, const struct packf_item *, struct packf_args *))
{
    for (const char *at = format; *at;) {
        if (*at++ != '%')
            continue;
        const struct packf_item item = item_read(&at, args);
        const int status = one(client, &item, args);
        if (status < 0)
            return status;
    }
    return 0;
}

int client_vpackf(struct client *client, const char *format, va_list list)
{
    if (!format)
        return CLIENT_PvmBadParam;
    struct packf_args args;
    va_copy(args.list, list);
    int status = 0;
    if (format[0] == '%' && format[1] == '+') {
        status = client_initsend(client, va_arg(args.list, int));
        format += 2;
    }
    if (status >= 0)
        status = client->thread->send_mid ? items_walk(client, format, &args, pack_item)
                                          : CLIENT_PvmNoBuf;
    va_end(args.list);
    return status;
}

int client_vunpackf(struct client *client, const char *format, va_list list)
{
    if (!format)
        return CLIENT_PvmBadParam;
    if (!client->thread->receive_mid)
        return CLIENT_PvmNoBuf;
    struct packf_args args;
    va_copy(args.list, list);
    const int status = items_walk(client, format, &args, unpack_item);
    va_end(args.list);
    return status;
}

int client_packf(struct client *client, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int status = client_vpackf(client, format, args);
    va_end(args);
    return status;
}

int client_unpackf(struct client *client, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int status = client_vunpackf(client, format, args);
    va_end(args);
    return status;
}
