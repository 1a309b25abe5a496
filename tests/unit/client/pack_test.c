/* SPDX-License-Identifier: BSD-3-Clause */
/* Packing: the exact bytes of XDR and raw, every type there and back, strides, ends, overflow,
 * memory. */
#include "room.h"

#include <limits.h>

enum { ENC_XDR = 0, ENC_RAW = 1, ENC_IN_PLACE = 2 };

static struct client *task;

/* What was packed comes back as raw bytes: the receive buffer is the send buffer, read in XDR
 * bytes of a multiple of four, or raw. */
static int same_bytes(const uint8_t *wanted, int length)
{
    uint8_t got[256];
    int bytes = 0;
    const int mid = client_getsbuf(task);
    client_bufinfo(task, mid, &bytes, NULL, NULL);
    if (bytes != length)
        return 0;
    client_setrbuf(task, mid);
    client_unpack(task, CLIENT_BYTE, got, length, 1);
    return memcmp(got, wanted, (size_t)length) == 0;
}

#define BYTES(...) (const uint8_t[]){__VA_ARGS__}, (int)sizeof((uint8_t[]){__VA_ARGS__})

static void xdr_bytes(void)
{
    const short s[] = {-2, 3};
    client_initsend(task, ENC_XDR);
    client_pack(task, CLIENT_SHORT, s, 2, 1);
    OK(same_bytes(BYTES(0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 3)),
       "a short takes four bytes, sign kept");
    const unsigned short us = 0xfffe;
    client_initsend(task, ENC_XDR);
    client_pack(task, CLIENT_USHORT, &us, 1, 1);
    OK(same_bytes(BYTES(0xff, 0xff, 0xff, 0xfe)), "an unsigned short looks like a short, as ever");
    const int i = 0x01020304;
    client_initsend(task, ENC_XDR);
    client_pack(task, CLIENT_INT, &i, 1, 1);
    OK(same_bytes(BYTES(1, 2, 3, 4)), "an int is big-endian");
    const long l = -2;
    client_initsend(task, ENC_XDR);
    client_pack(task, CLIENT_LONG, &l, 1, 1);
    OK(same_bytes(BYTES(0xff, 0xff, 0xff, 0xfe)), "a long takes four bytes");
    const float f = 1.0f;
    client_initsend(task, ENC_XDR);
    client_pack(task, CLIENT_FLOAT, &f, 1, 1);
    OK(same_bytes(BYTES(0x3f, 0x80, 0, 0)), "a float is IEEE single");
    const double d = -2.0;
    client_initsend(task, ENC_XDR);
    client_pack(task, CLIENT_DOUBLE, &d, 1, 1);
    OK(same_bytes(BYTES(0xc0, 0, 0, 0, 0, 0, 0, 0)), "a double is IEEE double");
    const float c[2] = {1.0f, -1.0f};
    client_initsend(task, ENC_XDR);
    client_pack(task, CLIENT_CPLX, c, 1, 1);
    OK(same_bytes(BYTES(0x3f, 0x80, 0, 0, 0xbf, 0x80, 0, 0)), "a complex is two floats");
    client_initsend(task, ENC_XDR);
    client_pack(task, CLIENT_BYTE, "abcde", 5, 1);
    client_pack(task, CLIENT_BYTE, "f", 1, 1);
    OK(same_bytes(BYTES('a', 'b', 'c', 'd', 'e', 0, 0, 0, 'f', 0, 0, 0)),
       "each call's bytes are padded");
    client_initsend(task, ENC_XDR);
    client_pack_text(task, "hey");
    OK(same_bytes(BYTES(0, 0, 0, 4, 'h', 'e', 'y', 0)),
       "a string is its length with the zero, and bytes");
}

static void raw_bytes(void)
{
    uint8_t wanted[16];
    const int i = -7, length = 4;
    const short s = 5;
    client_initsend(task, ENC_RAW);
    client_pack(task, CLIENT_INT, &i, 1, 1);
    client_pack(task, CLIENT_SHORT, &s, 1, 1);
    client_pack(task, CLIENT_BYTE, "xyz", 3, 1);
    memcpy(wanted, &i, 4);
    memcpy(wanted + 4, &s, 2);
    memcpy(wanted + 6, "xyz", 3);
    OK(same_bytes(wanted, 9), "raw is native, without padding");
    client_initsend(task, ENC_RAW);
    client_pack_text(task, "abc");
    memcpy(wanted, &length, 4);
    memcpy(wanted + 4, "abc", 4);
    OK(same_bytes(wanted, 8), "a raw string has a native length");
}

/* Every type, |count| items |stride| apart, there and back. */
static void round_trip(int encoding, int count, int stride)
{
    static const size_t sizes[CLIENT_TYPES] = {
        1, sizeof(short), sizeof(short), 4, 4, sizeof(long), sizeof(long), 4, 8, 8, 16};
    int wrong = 0;
    for (int type = 0; type < CLIENT_TYPES; type++) {
        const size_t size = sizes[type],
                     span = (size_t)(stride > 0 ? stride : 1) * (size_t)count * size;
        uint8_t *in = calloc(1, span + size), *out = calloc(1, span + size);
        for (size_t i = 0; i < span; i++)
            in[i] = (uint8_t)(i * 7 + 1);
        /* Longs must fit XDR. */
        for (size_t i = 0; (type == CLIENT_LONG || type == CLIENT_ULONG) && i < span / size; i++) {
            const long value = type == CLIENT_LONG ? -(long)i : (long)i;
            memcpy(in + i * size, &value, size);
        }
        client_initsend(task, encoding);
        wrong += client_pack(task, CLIENT_BYTE, "?", 1, 1) != 0;
        wrong += client_pack(task, (enum client_type)type, in, count, stride) != 0;
        client_setrbuf(task, client_getsbuf(task));
        uint8_t mark;
        wrong += client_unpack(task, CLIENT_BYTE, &mark, 1, 1) != 0 || mark != '?';
        wrong += client_unpack(task, (enum client_type)type, out, count, stride) != 0;
        for (int i = 0; i < count; i++)
            wrong += memcmp(in + (size_t)i * (size_t)stride * size,
                            out + (size_t)i * (size_t)stride * size, size) != 0;
        wrong += client_unpack(task, CLIENT_BYTE, &mark, 1, 1) != CLIENT_PvmNoData;
        free(in);
        free(out);
    }
    EQUAL(wrong, 0, "every type comes back as it went");
}

static void round_trips(void)
{
    for (int encoding = ENC_XDR; encoding <= ENC_RAW; encoding++) {
        round_trip(encoding, 0, 1);
        round_trip(encoding, 1, 1);
        round_trip(encoding, 3, 2);
        round_trip(encoding, 5000, 1); /* over fragments; raw: items across their borders */
        round_trip(encoding, 70001, 1);
        round_trip(encoding, 3001, 3);
    }
}

static void strides(void)
{
    const int in[] = {1, 2, 3, 4};
    int out[4] = {0};
    client_initsend(task, ENC_XDR);
    EQUAL(client_pack(task, CLIENT_INT, in + 3, 4, -1), 0, "a negative stride goes backwards");
    EQUAL(client_pack(task, CLIENT_INT, in, 2, 0), 0, "stride 0 repeats");
    client_setrbuf(task, client_getsbuf(task));
    client_unpack(task, CLIENT_INT, out, 4, 1);
    OK(out[0] == 4 && out[1] == 3 && out[2] == 2 && out[3] == 1, "they are packed backwards");
    client_unpack(task, CLIENT_INT, out, 2, 1);
    OK(out[0] == 1 && out[1] == 1, "and twice");
}

static void longs(void)
{
#if LONG_MAX > INT32_MAX
    const long too_large[] = {1, 2, (long)INT32_MAX + 1}, too_small = (long)INT32_MIN - 1;
    const unsigned long huge = (unsigned long)UINT32_MAX + 1, fits = UINT32_MAX;
    unsigned long back = 0;
    int bytes = -1;
    client_initsend(task, ENC_XDR);
    EQUAL(client_pack(task, CLIENT_LONG, too_large, 3, 1), CLIENT_PvmOverflow,
          "a long of 33 bits is refused");
    client_bufinfo(task, client_getsbuf(task), &bytes, NULL, NULL);
    EQUAL(bytes, 0, "and nothing of that call was packed");
    EQUAL(client_pack(task, CLIENT_LONG, &too_small, 1, 1), CLIENT_PvmOverflow,
          "below zero as well");
    EQUAL(client_pack(task, CLIENT_ULONG, &huge, 1, 1), CLIENT_PvmOverflow, "and without sign");
    EQUAL(client_pack(task, CLIENT_ULONG, &fits, 1, 1), 0, "32 bits without sign fit");
    client_setrbuf(task, client_getsbuf(task));
    client_unpack(task, CLIENT_ULONG, &back, 1, 1);
    OK(back == fits, "and come back");
    client_initsend(task, ENC_RAW);
    EQUAL(client_pack(task, CLIENT_LONG, too_large, 3, 1), 0, "raw carries all of a long");
#else
    SKIP("longs beyond 32 bits", "a long has 32 bits here");
#endif
}

static void errors(void)
{
    int i = 5, out[4] = {9, 9, 9, 9};
    client_setsbuf(task, 0);
    client_setrbuf(task, 0);
    EQUAL(client_pack(task, CLIENT_INT, &i, 1, 1), CLIENT_PvmNoBuf, "no buffer to pack into");
    EQUAL(client_pack_text(task, "x"), CLIENT_PvmNoBuf, "nor for a string");
    EQUAL(client_unpack(task, CLIENT_INT, &i, 1, 1), CLIENT_PvmNoBuf, "no buffer to unpack");
    EQUAL(client_pack(task, CLIENT_INT, &i, -1, 1), CLIENT_PvmBadParam,
          "a count below zero comes first");
    client_initsend(task, ENC_XDR);
    EQUAL(client_pack(task, CLIENT_INT, &i, -1, 1), CLIENT_PvmBadParam, "also with a buffer");
    client_pack(task, CLIENT_INT, &i, 1, 1);
    client_setrbuf(task, client_getsbuf(task));
    EQUAL(client_unpack(task, CLIENT_INT, out, 2, 1), CLIENT_PvmNoData,
          "two ints of one are too many");
    EQUAL(out[0], 9, "none was written");
    EQUAL(client_unpack(task, CLIENT_INT, out, 1, 1), 0, "the one is still there");
    EQUAL(client_unpack(task, CLIENT_INT, out, -1, 1), CLIENT_PvmBadParam, "a count below zero");
}

static void in_place(void)
{
    int numbers[] = {1, 2, 3}, bytes = -1, back[3] = {0};
    struct room room;
    room_open(&room, 2);
    struct client *a = room.tasks[0], *b = room.tasks[1];
    client_initsend(a, ENC_IN_PLACE);
    EQUAL(client_pack(a, CLIENT_INT, numbers, 3, 2), CLIENT_PvmNotImpl, "in place has no strides");
    EQUAL(client_pack_text(a, "x"), CLIENT_PvmNotImpl, "nor strings");
    EQUAL(client_pack(a, CLIENT_INT, numbers, 3, 1), 0, "pieces are taken where they are");
    client_bufinfo(a, client_getsbuf(a), &bytes, NULL, NULL);
    EQUAL(bytes, 0, "their bytes are not counted here");
    numbers[1] = 7;
    client_send(a, room_tid(1), 1);
    room_carry(&room, a);
    OK(client_receive(b, -1, -1) > 0, "they arrive");
    client_unpack(b, CLIENT_INT, back, 3, 1);
    OK(back[0] == 1 && back[1] == 7 && back[2] == 3, "as they were when sent");
    for (int i = 0; i < 1000; i++)
        client_pack(a, CLIENT_INT, numbers, 1, 1);
    client_send(a, room_tid(1), 2);
    struct client_piece pieces[16];
    OK(client_out_pieces(a, pieces, 16) < 4,
       "a thousand small pieces do not become a thousand frames");
    room_carry(&room, a);
    client_receive(b, -1, 2);
    client_bufinfo(b, client_getrbuf(b), &bytes, NULL, NULL);
    EQUAL(bytes, 4012, "and all arrive");
    room_close(&room);
}

static void foreign(void)
{
    const uint32_t other = client_signature_native() ^ 0x18;
    struct room room = {.count = 2};
    room.tasks[0] = task_new(room_tid(0), other);
    room.tasks[1] = task_new(room_tid(1), client_signature_native());
    int i = 3;
    char bytes[8];
    client_initsend(room.tasks[0], ENC_RAW);
    client_pack(room.tasks[0], CLIENT_INT, &i, 1, 1);
    client_pack(room.tasks[0], CLIENT_BYTE, "abc", 3, 1);
    client_send(room.tasks[0], room_tid(1), 1);
    room_carry(&room, room.tasks[0]);
    struct client *b = room.tasks[1];
    const int mid = client_receive(b, -1, -1);
    EQUAL(client_unpack(b, CLIENT_INT, &i, 1, 1), CLIENT_PvmBadMsg,
          "numbers of another kind of machine");
    EQUAL(client_unpack_text(b, bytes), CLIENT_PvmBadMsg, "nor its strings");
    EQUAL(client_unpack(b, CLIENT_BYTE, bytes, 4, 1), 0, "its bytes can be read");
    client_setsbuf(b, mid);
    EQUAL(client_pack(b, CLIENT_INT, &i, 1, 1), CLIENT_PvmBadMsg, "nor can numbers be added to it");
    EQUAL(client_pack(b, CLIENT_BYTE, "d", 1, 1), CLIENT_PvmBadMsg, "nor bytes");
    EQUAL(client_pack_text(b, "d"), CLIENT_PvmBadMsg, "nor strings");
    room_close(&room);
}

static void texts(void)
{
    char out[16];
    client_initsend(task, ENC_XDR);
    client_pack_text(task, "seven");
    client_setrbuf(task, client_getsbuf(task));
    EQUAL(client_unpack_text_bound(task, out, 5), CLIENT_PvmOverflow,
          "a string too long for its room");
    EQUAL(client_unpack_text_bound(task, out, 6), 0, "is still there");
    SAME_TEXT(out, "seven", "whole");
    const int negative = -1, large = 1000;
    client_initsend(task, ENC_XDR);
    client_pack(task, CLIENT_INT, &negative, 1, 1);
    client_setrbuf(task, client_getsbuf(task));
    EQUAL(client_unpack_text(task, out), CLIENT_PvmBadMsg, "a length below zero");
    client_initsend(task, ENC_XDR);
    client_pack(task, CLIENT_INT, &large, 1, 1);
    client_pack(task, CLIENT_BYTE, "abcd", 4, 1);
    client_setrbuf(task, client_getsbuf(task));
    EQUAL(client_unpack_text(task, out), CLIENT_PvmNoData, "a length beyond the end");
    int back = 0;
    EQUAL(client_unpack(task, CLIENT_INT, &back, 1, 1), 0, "leaves the place as it was");
    EQUAL(back, 1000, "before the length");
}

static void messages_in_messages(void)
{
    const struct client_minfo set = {
        .context = 3, .tag = 4, .wait_id = 5, .source = 7, .destination = 8};
    int inner = client_mkbuf(task, ENC_RAW);
    client_setsbuf(task, inner);
    client_pack(task, CLIENT_BYTE, "hello", 5, 1);
    client_setminfo(task, inner, &set);
    client_setsbuf(task, 0);
    EQUAL(client_pkmesg(task, inner), CLIENT_PvmNoBuf, "no message to put it in");
    client_initsend(task, ENC_XDR);
    EQUAL(client_pkmesg(task, 0), CLIENT_PvmBadParam, "no message to put in");
    EQUAL(client_pkmesg(task, 999), CLIENT_PvmNoSuchBuf, "an unknown one");
    EQUAL(client_pkmesg(task, client_getsbuf(task)), CLIENT_PvmBadParam, "a message into itself");
    EQUAL(client_pkmesgbody(task, inner), CLIENT_PvmMismatch, "a body of another encoding");
    EQUAL(client_pkmesg(task, inner), 0, "a message in a message");
    const uint32_t sig = client_signature_native();
    OK(same_bytes(BYTES(0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, (uint8_t)(sig >> 24),
                        (uint8_t)(sig >> 16), (uint8_t)(sig >> 8), (uint8_t)sig, 0, 0, 0, 0, 0, 0,
                        0, 7, 0, 0, 0, 8, 0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o', 0, 0, 0)),
       "has these bytes");
    client_initsend(task, ENC_XDR);
    client_pkmesg(task, inner);
    client_setrbuf(task, client_getsbuf(task));
    const int copy = client_upkmesg(task);
    OK(copy > 0, "and comes out again");
    struct client_minfo info;
    client_getminfo(task, copy, &info);
    OK(info.length == 5 && info.context == 3 && info.tag == 4 && info.wait_id == 5 &&
           info.source == 7 && info.destination == 8 && info.encoding == (int)sig,
       "with all its numbers");
    EQUAL(client_upkmesg(task), CLIENT_PvmNoData, "once");
    client_initsend(task, ENC_RAW);
    EQUAL(client_pkmesgbody(task, copy), 0, "the body alone");
    OK(same_bytes((const uint8_t *)"hello", 5), "is appended as it is");
    const int wrong[] = {-1, 0, 0, 0, 0, 0, 0, 0};
    client_initsend(task, ENC_XDR);
    client_pack(task, CLIENT_INT, wrong, 8, 1);
    client_setrbuf(task, client_getsbuf(task));
    EQUAL(client_upkmesg(task), CLIENT_PvmBadMsg, "a length below zero");
    client_freebuf(task, inner);
    client_freebuf(task, copy);
}

/* The n-th allocation fails, for each n: an error or success, never half a change. */
static void no_memory(void)
{
    static char large[200000];
    int bytes, finished = 0, wrong = 0;
    client_initsend(task, ENC_XDR);
    client_pack(task, CLIENT_BYTE, "head", 4, 1);
    for (uint64_t nth = 1; nth < 100 && !finished; nth++) {
        mem_fail_at(nth, 0);
        const int status = client_pack(task, CLIENT_BYTE, large, (int)sizeof(large), 1);
        mem_fail_at(0, 0);
        client_bufinfo(task, client_getsbuf(task), &bytes, NULL, NULL);
        finished = status == 0;
        wrong += finished ? bytes != 200004 : status != CLIENT_PvmNoMem || bytes != 4;
    }
    OK(finished && wrong == 0, "without memory a call packs nothing");
}

static void too_large(void)
{
    client_initsend(task, ENC_IN_PLACE);
    static char byte;
    EQUAL(client_pack(task, CLIENT_DCPLX, &byte, INT32_MAX, 1), CLIENT_PvmOverflow,
          "more than 2 GiB at once");
    EQUAL(client_pack(task, CLIENT_BYTE, &byte, INT32_MAX, 1), 0, "just below");
    EQUAL(client_pack(task, CLIENT_BYTE, &byte, 1, 1), CLIENT_PvmOverflow, "one byte more");
    client_freebuf(task, client_getsbuf(task));
}

int main(void)
{
    task = task_new(ROOM_TID, client_signature_native());
    TEST(xdr_bytes);
    TEST(raw_bytes);
    TEST(round_trips);
    TEST(strides);
    TEST(longs);
    TEST(errors);
    TEST(in_place);
    TEST(foreign);
    TEST(texts);
    TEST(messages_in_messages);
    TEST(no_memory);
    TEST(too_large);
    client_destroy(task);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
