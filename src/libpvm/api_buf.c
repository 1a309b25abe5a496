/* SPDX-License-Identifier: BSD-3-Clause */
/* Message buffers, packing and unpacking (API-36 to API-46). None of these needs a daemon
 * (CONV-6). */
#include "libpvm/api.h"

#include "pvm3.h"

int pvm_mkbuf(int encoding)
{
    API_CLIENT_CALL("pvm_mkbuf", client_mkbuf(client, encoding));
}

int pvm_initsend(int encoding)
{
    lock_enter();
    struct client *client = task_client();
    const int mid = client ? client_initsend(client, encoding) : PvmNoMem;
    lock_leave();
    if (mid < 0)
        result("pvm_mkbuf", mid);
    return result("pvm_initsend", mid);
}

int pvm_freebuf(int mid)
{
    API_CLIENT_CALL("pvm_freebuf", client_freebuf(client, mid));
}

int pvm_getsbuf(void)
{
    API_CLIENT_CALL("pvm_getsbuf", client_getsbuf(client));
}

int pvm_setsbuf(int mid)
{
    API_CLIENT_CALL("pvm_setsbuf", client_setsbuf(client, mid));
}

int pvm_getrbuf(void)
{
    API_CLIENT_CALL("pvm_getrbuf", client_getrbuf(client));
}

int pvm_setrbuf(int mid)
{
    API_CLIENT_CALL("pvm_setrbuf", client_setrbuf(client, mid));
}

int pvm_bufinfo(int mid, int *bytes, int *tag, int *tid)
{
    API_CLIENT_CALL("pvm_bufinfo", client_bufinfo(client, mid, bytes, tag, tid));
}

int pvm_getminfo(int mid, struct pvmminfo *info)
{
    struct client_minfo found;
    lock_enter();
    const struct client *client = task_client();
    const int status = client ? client_getminfo(client, mid, &found) : PvmNoMem;
    if (status == 0)
        *info = (struct pvmminfo){found.length,   found.context, found.tag,    found.wait_id,
                                  found.encoding, found.crc,     found.source, found.destination};
    return api_leave("pvm_getminfo", status);
}

int pvm_setminfo(int mid, struct pvmminfo *info)
{
    const struct client_minfo wanted = {.context = info->ctx,
                                        .tag = info->tag,
                                        .wait_id = info->wid,
                                        .source = info->src,
                                        .destination = info->dst};
    API_CLIENT_CALL("pvm_setminfo", client_setminfo(client, mid, &wanted));
}

/* The three below report their errors by result alone (CONV-5). */
#define QUIET_CALL(expression)                                                                     \
    lock_enter();                                                                                  \
    struct client *client = task_client();                                                         \
    const int status = client ? (expression) : PvmNoMem;                                           \
    lock_leave();                                                                                  \
    return status

int pvm_pkmesg(int mid)
{
    QUIET_CALL(client_pkmesg(client, mid));
}

int pvm_pkmesgbody(int mid)
{
    QUIET_CALL(client_pkmesgbody(client, mid));
}

int pvm_upkmesg(void)
{
    QUIET_CALL(client_upkmesg(client));
}

#define PACK_CALLS(name, c_type, type)                                                             \
    int pvm_pk##name(c_type *items, int count, int stride)                                         \
    {                                                                                              \
        API_CLIENT_CALL("pvm_pk" #name, client_pack(client, type, items, count, stride));          \
    }                                                                                              \
    int pvm_upk##name(c_type *items, int count, int stride)                                        \
    {                                                                                              \
        API_CLIENT_CALL("pvm_upk" #name, client_unpack(client, type, items, count, stride));       \
    }

PACK_CALLS(byte, char, CLIENT_BYTE)
PACK_CALLS(short, short, CLIENT_SHORT)
PACK_CALLS(ushort, unsigned short, CLIENT_USHORT)
PACK_CALLS(int, int, CLIENT_INT)
PACK_CALLS(uint, unsigned int, CLIENT_UINT)
PACK_CALLS(long, long, CLIENT_LONG)
PACK_CALLS(ulong, unsigned long, CLIENT_ULONG)
PACK_CALLS(float, float, CLIENT_FLOAT)
PACK_CALLS(double, double, CLIENT_DOUBLE)
PACK_CALLS(cplx, float, CLIENT_CPLX)
PACK_CALLS(dcplx, double, CLIENT_DCPLX)

int pvm_pkstr(char *text)
{
    API_CLIENT_CALL("pvm_pkstr", client_pack_text(client, text));
}

int pvm_upkstr(char *text)
{
    API_CLIENT_CALL("pvm_upkstr", client_unpack_text(client, text));
}

/* Exported by the original without a declaration. */
int pvm_vpackf(const char *format, va_list args);
int pvm_vunpackf(const char *format, va_list args);

int pvm_vpackf(const char *format, va_list args)
{
    va_list rest;
    va_copy(rest, args);
    int status = 0;
    /* The new buffer is a call of its own: it reports as such. */
    if (format && format[0] == '%' && format[1] == '+') {
        status = pvm_initsend(va_arg(rest, int));
        format += 2;
    }
    lock_enter();
    struct client *client = task_client();
    if (status >= 0)
        status = client ? client_vpackf(client, format, rest) : PvmNoMem;
    va_end(rest);
    return api_leave("pvm_packf", status);
}

int pvm_vunpackf(const char *format, va_list args)
{
    API_CLIENT_CALL("pvm_unpackf", client_vunpackf(client, format, args));
}

int pvm_packf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int status = pvm_vpackf(format, args);
    va_end(args);
    return status;
}

int pvm_unpackf(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int status = pvm_vunpackf(format, args);
    va_end(args);
    return status;
}
