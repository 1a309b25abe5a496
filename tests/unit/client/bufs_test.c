/* SPDX-License-Identifier: BSD-3-Clause */
/* Message buffers: ids, active buffers, errors, odd orders, memory. */
#include "room.h"

static struct client *task;

static void ids(void)
{
    int mids[40], highest = 0, distinct = 1;
    for (int i = 0; i < 40; i++)
        mids[i] = client_mkbuf(task, 1);
    for (int i = 0; i < 40; i++)
        for (int j = 0; j < i; j++)
            distinct &= mids[i] > 0 && mids[i] != mids[j];
    OK(distinct, "every buffer has an id of its own");
    for (int i = 0; i < 40; i++)
        client_freebuf(task, mids[(i * 17) % 40]);
    for (int i = 0; i < 1000; i++) {
        const int mid = client_mkbuf(task, 0);
        highest = mid > highest ? mid : highest;
        client_freebuf(task, mid);
    }
    OK(highest <= 64, "ids are used again");
}

static void codes(void)
{
    struct client_minfo info = {0};
    EQUAL(client_mkbuf(task, 3), CLIENT_PvmBadParam, "no such encoding");
    EQUAL(client_mkbuf(task, -1), CLIENT_PvmBadParam, "nor this");
    OK(client_mkbuf(task, 4) > 0, "the encoding of traces exists");
    EQUAL(client_freebuf(task, 0), 0, "freeing nothing is fine");
    EQUAL(client_freebuf(task, -1), CLIENT_PvmBadParam, "freeing a negative id");
    EQUAL(client_freebuf(task, 9999), CLIENT_PvmNoSuchBuf, "freeing an unknown id");
    EQUAL(client_setsbuf(task, -1), CLIENT_PvmBadParam, "setting a negative id");
    EQUAL(client_setsbuf(task, 9999), CLIENT_PvmNoSuchBuf, "setting an unknown id");
    EQUAL(client_setrbuf(task, -1), CLIENT_PvmBadParam, "for receiving too");
    EQUAL(client_setrbuf(task, 9999), CLIENT_PvmNoSuchBuf, "unknown");
    EQUAL(client_bufinfo(task, 0, NULL, NULL, NULL), CLIENT_PvmBadParam, "info of nothing");
    EQUAL(client_bufinfo(task, 9999, NULL, NULL, NULL), CLIENT_PvmNoSuchBuf, "info of unknown");
    EQUAL(client_getminfo(task, -1, &info), CLIENT_PvmBadParam, "message info of nothing");
    EQUAL(client_getminfo(task, 9999, &info), CLIENT_PvmNoSuchBuf, "message info of unknown");
    EQUAL(client_setminfo(task, 0, &info), CLIENT_PvmBadParam, "setting it of nothing");
    EQUAL(client_setminfo(task, 9999, &info), CLIENT_PvmNoSuchBuf, "setting it of unknown");
}

static void active(void)
{
    const int first = client_initsend(task, 0);
    EQUAL(client_getsbuf(task), first, "initsend makes it active");
    EQUAL(client_initsend(task, 77), CLIENT_PvmBadParam, "a bad encoding");
    EQUAL(client_getsbuf(task), first, "leaves the old one");
    const int second = client_initsend(task, 1);
    EQUAL(client_bufinfo(task, first, NULL, NULL, NULL), CLIENT_PvmNoSuchBuf,
          "a new one frees the old");
    EQUAL(client_setrbuf(task, second), 0, "the send buffer can become the receive buffer");
    EQUAL(client_getsbuf(task), 0, "and is no longer the send buffer");
    EQUAL(client_setsbuf(task, second), 0, "and back");
    EQUAL(client_getrbuf(task), 0, "again only one of them");
    const int third = client_mkbuf(task, 0);
    EQUAL(client_setsbuf(task, third), second, "the previous one is told");
    EQUAL(client_setsbuf(task, 0), third, "0 takes it away");
    EQUAL(client_getsbuf(task), 0, "there is none");
    client_setsbuf(task, third);
    EQUAL(client_freebuf(task, third), 0, "freeing the active buffer");
    EQUAL(client_getsbuf(task), 0, "takes it away");
    client_freebuf(task, second);
}

static void reading_place(void)
{
    const int in[] = {1, 2, 3};
    int out = 0;
    const int mid = client_initsend(task, 0);
    client_pack(task, CLIENT_INT, in, 3, 1);
    client_setrbuf(task, mid);
    client_unpack(task, CLIENT_INT, &out, 1, 1);
    client_setrbuf(task, 0);
    client_setrbuf(task, mid);
    client_unpack(task, CLIENT_INT, &out, 1, 1);
    EQUAL(out, 2, "a buffer being read keeps its place");
    client_setsbuf(task, mid);
    client_pack(task, CLIENT_INT, in, 1, 1);
    client_setrbuf(task, mid);
    client_unpack(task, CLIENT_INT, &out, 1, 1);
    EQUAL(out, 1, "one that was packed into begins anew");
    client_freebuf(task, mid);
}

static void info(void)
{
    struct room room;
    room_open(&room, 2);
    struct client *a = room.tasks[0], *b = room.tasks[1];
    const struct client_minfo set = {.length = 99,
                                     .context = 11,
                                     .tag = 12,
                                     .wait_id = 13,
                                     .encoding = 1,
                                     .source = 16,
                                     .destination = 17};
    struct client_minfo got;
    const int mid = client_initsend(a, 0), value = 5;
    client_pack(a, CLIENT_INT, &value, 1, 1);
    client_getminfo(a, mid, &got);
    OK(got.length == 4 && got.encoding == 0x10000000 && got.source == room_tid(0) &&
           got.destination == 0,
       "a new message knows its maker");
    client_setminfo(a, mid, &set);
    client_getminfo(a, mid, &got);
    OK(got.length == 4 && got.context == 11 && got.tag == 12 && got.wait_id == 13 &&
           got.source == 16 && got.destination == 17 && got.encoding == 0x10000000,
       "length and encoding cannot be set");
    client_send(a, room_tid(1), 50);
    client_getminfo(a, mid, &got);
    OK(got.context == 0 && got.tag == 50 && got.wait_id == 13 && got.source == 16 &&
           got.destination == room_tid(1),
       "sending sets context, tag and destination");
    room_carry(&room, a);
    client_getminfo(b, client_receive(b, -1, -1), &got);
    OK(got.length == 4 && got.context == 0 && got.tag == 50 && got.wait_id == 13 &&
           got.source == room_tid(0) && got.destination == room_tid(1),
       "the receiver gets the truth");
    room_close(&room);
}

static void forwarding(void)
{
    struct room room;
    room_open(&room, 3);
    struct client *a = room.tasks[0], *b = room.tasks[1], *c = room.tasks[2];
    const int one = 1, two = 2;
    int got[2] = {0};
    client_initsend(a, 0);
    client_pack(a, CLIENT_INT, &one, 1, 1);
    client_send(a, room_tid(1), 1);
    room_carry(&room, a);
    const int mid = client_receive(b, -1, -1);
    client_setsbuf(b, mid);
    client_send(b, room_tid(2), 2);
    room_carry(&room, b);
    client_receive(c, -1, -1);
    client_unpack(c, CLIENT_INT, got, 1, 1);
    EQUAL(got[0], 1, "a received message can be sent on");
    client_pack(b, CLIENT_INT, &two, 1, 1);
    client_send(b, room_tid(2), 3);
    client_pack(b, CLIENT_INT, &one, 1, 1);
    client_send(b, room_tid(2), 4);
    room_carry(&room, b);
    int bytes[2];
    client_receive(c, -1, 3);
    client_bufinfo(c, client_getrbuf(c), &bytes[0], NULL, NULL);
    client_unpack(c, CLIENT_INT, got, 2, 1);
    OK(got[0] == 1 && got[1] == 2, "and added to");
    client_bufinfo(c, client_receive(c, -1, 4), &bytes[1], NULL, NULL);
    OK(bytes[0] == 8 && bytes[1] == 12,
       "what is packed after a send does not change what was sent");
    room_close(&room);
}

static void no_memory(void)
{
    int wrong = 0, made = 0;
    struct client *fresh = task_new(ROOM_TID, client_signature_native());
    for (uint64_t nth = 1; nth < 20 && !made; nth++) {
        mem_fail_at(nth, 0);
        const int mid = client_mkbuf(fresh, 0);
        mem_fail_at(0, 0);
        made = mid > 0;
        wrong += !made && mid != CLIENT_PvmNoMem;
    }
    OK(made && wrong == 0, "making a buffer without memory");
    client_destroy(fresh);
}

int main(void)
{
    task = task_new(ROOM_TID, client_signature_native());
    TEST(ids);
    TEST(codes);
    TEST(active);
    TEST(reading_place);
    TEST(info);
    TEST(forwarding);
    TEST(no_memory);
    client_destroy(task);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
