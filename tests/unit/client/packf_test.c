/* SPDX-License-Identifier: BSD-3-Clause */
/* Packing by format: values and pointers, counts and strides, modifiers, errors. */
#include "room.h"

static struct client *task;

static int packed_bytes(void)
{
    int bytes = -1;
    client_bufinfo(task, client_getsbuf(task), &bytes, NULL, NULL);
    return bytes;
}

static void values(void)
{
    char c = 0, text[8];
    short h = 0;
    int d = 0;
    long l = 0;
    float f = 0;
    double lf = 0;
    OK(client_packf(task, "%+ %c %hd %d %ld %f %lf %s", 0, 'x', 7, -8, -9L, 1.5, 2.5, "abc") == 0,
       "all kinds");
    EQUAL(packed_bytes(), 4 + 4 + 4 + 4 + 4 + 8 + 8, "the bytes of each");
    client_setrbuf(task, client_getsbuf(task));
    EQUAL(client_unpackf(task, "%c %hd %d %ld %f %lf %s", &c, &h, &d, &l, &f, &lf, text), 0,
          "and back");
    OK(c == 'x' && h == 7 && d == -8 && l == -9 && f == 1.5f && lf == 2.5, "with their values");
    SAME_TEXT(text, "abc", "and the string");
}

static void arrays(void)
{
    const int in[] = {1, 2, 3, 4};
    const float x[] = {1, 2};
    int out[4] = {0};
    client_packf(task, "%+", 0);
    EQUAL(client_packf(task, "%2d%*.2d text %*.*d%x", in, 2, in, 2, 3, in, x), 0,
          "counts and strides");
    client_setrbuf(task, client_getsbuf(task));
    client_unpackf(task, "%2d", out);
    OK(out[0] == 1 && out[1] == 2, "a count in the format");
    client_unpackf(task, "%*d", 2, out);
    OK(out[0] == 1 && out[1] == 3, "a count as argument, a stride");
    client_unpackf(task, "%*d", 2, out);
    OK(out[0] == 1 && out[1] == 4, "both as arguments");
    float back[2] = {0};
    client_unpackf(task, "%x", back);
    OK(back[0] == 1 && back[1] == 2, "a complex by pointer");
    const unsigned short us = 65000;
    unsigned short us_back = 0;
    client_packf(task, "%+%hud%1hud", 0, 65000, &us);
    client_setrbuf(task, client_getsbuf(task));
    client_unpackf(task, "%uhd", &us_back);
    EQUAL(us_back, 65000, "modifiers in any order");
    client_unpackf(task, "%hud", &us_back);
    EQUAL(us_back, 65000, "both ways");
}

static void errors(void)
{
    client_setsbuf(task, 0);
    client_setrbuf(task, 0);
    int value;
    EQUAL(client_packf(task, "%d", 1), CLIENT_PvmNoBuf, "no buffer");
    EQUAL(client_unpackf(task, "%d", &value), CLIENT_PvmNoBuf, "no buffer to read");
    EQUAL(client_packf(task, "%+", 9), CLIENT_PvmBadParam, "a bad encoding");
    EQUAL(client_packf(task, "%+%d%q", 0, 1, 2), CLIENT_PvmBadParam, "an unknown conversion");
    EQUAL(packed_bytes(), 4, "what came before it stays");
    EQUAL(client_packf(task, "%%"), CLIENT_PvmBadParam, "a percent sign is none");
    EQUAL(client_packf(task, "%"), CLIENT_PvmBadParam, "nor one alone");
    EQUAL(client_packf(task, "%d%+", 1, 0), CLIENT_PvmBadParam,
          "a new buffer only at the beginning");
    EQUAL(client_packf(task, "nothing"), 0, "other text is skipped");
    client_setrbuf(task, client_getsbuf(task));
    EQUAL(client_unpackf(task, "%+", &value), CLIENT_PvmBadParam, "unpacking makes no buffer");
    EQUAL(client_unpackf(task, "%99d", &value), CLIENT_PvmNoData, "too many");
    client_packf(task, "%+", 2);
    EQUAL(client_packf(task, "%d", 1), CLIENT_PvmNotImpl, "a value cannot stay in place");
    EQUAL(client_packf(task, "%s", "text"), CLIENT_PvmNotImpl, "nor a string");
}

int main(void)
{
    task = task_new(ROOM_TID, client_signature_native());
    TEST(values);
    TEST(arrays);
    TEST(errors);
    client_destroy(task);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
