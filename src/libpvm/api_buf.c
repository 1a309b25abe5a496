/* SPDX-License-Identifier: BSD-3-Clause */
/* Message buffers, packing and unpacking (API-36 to API-46). None of these needs a daemon
 * (CONV-6). */
#include "libpvm/error.h"
#include "libpvm/task.h"

#include "pvm3.h"

/* Every call here may be the first one of the program. */
#define CLIENT_OR_FAIL(call)                                                                       \
    struct client *client = task_client();                                                         \
    if (!client)                                                                                   \
    return result(call, PvmNoMem)

int pvm_mkbuf(int encoding)
{
    CLIENT_OR_FAIL("pvm_mkbuf");
    return result("pvm_mkbuf", client_mkbuf(client, encoding));
}

int pvm_initsend(int encoding)
{
    CLIENT_OR_FAIL("pvm_initsend");
    const int mid = client_initsend(client, encoding);
    if (mid < 0)
        result("pvm_mkbuf", mid);
    return result("pvm_initsend", mid);
}

int pvm_freebuf(int mid)
{
    CLIENT_OR_FAIL("pvm_freebuf");
    return result("pvm_freebuf", client_freebuf(client, mid));
}

int pvm_getsbuf(void)
{
    CLIENT_OR_FAIL("pvm_getsbuf");
    return client_getsbuf(client);
}

int pvm_setsbuf(int mid)
{
    CLIENT_OR_FAIL("pvm_setsbuf");
    return result("pvm_setsbuf", client_setsbuf(client, mid));
}

int pvm_getrbuf(void)
{
    CLIENT_OR_FAIL("pvm_getrbuf");
    return client_getrbuf(client);
}

int pvm_setrbuf(int mid)
{
    CLIENT_OR_FAIL("pvm_setrbuf");
    return result("pvm_setrbuf", client_setrbuf(client, mid));
}

int pvm_bufinfo(int mid, int *bytes, int *tag, int *tid)
{
    CLIENT_OR_FAIL("pvm_bufinfo");
    return result("pvm_bufinfo", client_bufinfo(client, mid, bytes, tag, tid));
}

int pvm_getminfo(int mid, struct pvmminfo *info)
{
    CLIENT_OR_FAIL("pvm_getminfo");
    struct client_minfo found;
    const int status = client_getminfo(client, mid, &found);
    if (status == 0)
        *info = (struct pvmminfo){found.length,   found.context, found.tag,    found.wait_id,
                                  found.encoding, found.crc,     found.source, found.destination};
    return result("pvm_getminfo", status);
}

int pvm_setminfo(int mid, struct pvmminfo *info)
{
    CLIENT_OR_FAIL("pvm_setminfo");
    const struct client_minfo wanted = {.context = info->ctx,
                                        .tag = info->tag,
                                        .wait_id = info->wid,
                                        .source = info->src,
                                        .destination = info->dst};
    return result("pvm_setminfo", client_setminfo(client, mid, &wanted));
}

/* The three below report their errors by result alone (CONV-5). */
int pvm_pkmesg(int mid)
{
    struct client *client = task_client();
    return client ? client_pkmesg(client, mid) : PvmNoMem;
}

int pvm_pkmesgbody(int mid)
{
    struct client *client = task_client();
    return client ? client_pkmesgbody(client, mid) : PvmNoMem;
}

int pvm_upkmesg(void)
{
    struct client *client = task_client();
    return client ? client_upkmesg(client) : PvmNoMem;
}

#define PACK_CALLS(name, c_type, type)                                                             \
    int pvm_pk##name(c_type *items, int count, int stride)                                         \
    {                                                                                              \
        CLIENT_OR_FAIL("pvm_pk" #name);                                                            \
        return result("pvm_pk" #name, client_pack(client, type, items, count, stride));            \
    }                                                                                              \
    int pvm_upk##name(c_type *items, int count, int stride)                                        \
    {                                                                                              \
        CLIENT_OR_FAIL("pvm_upk" #name);                                                           \
        return result("pvm_upk" #name, client_unpack(client, type, items, count, stride));         \
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
    CLIENT_OR_FAIL("pvm_pkstr");
    return result("pvm_pkstr", client_pack_text(client, text));
}

int pvm_upkstr(char *text)
{
    CLIENT_OR_FAIL("pvm_upkstr");
    return result("pvm_upkstr", client_unpack_text(client, text));
}

/* Exported by the original without a declaration. */
int pvm_vpackf(const char *format, va_list args);
int pvm_vunpackf(const char *format, va_list args);

int pvm_vpackf(const char *format, va_list args)
{
    CLIENT_OR_FAIL("pvm_packf");
    va_list rest;
    va_copy(rest, args);
    int status = 0;
    /* The new buffer is a call of its own: it reports as such. */
    if (format && format[0] == '%' && format[1] == '+') {
        status = pvm_initsend(va_arg(rest, int));
        format += 2;
    }
    if (status >= 0)
        status = client_vpackf(client, format, rest);
    va_end(rest);
    return result("pvm_packf", status);
}

int pvm_vunpackf(const char *format, va_list args)
{
    CLIENT_OR_FAIL("pvm_unpackf");
    return result("pvm_unpackf", client_vunpackf(client, format, args));
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
