/* SPDX-License-Identifier: BSD-3-Clause */
/* Whose call it is: active buffers and contexts of several threads, and what their ends free. */
#include "room.h"

static struct room room;
static struct client *task;
static struct client_thread first, second;

static int info(int mid)
{
    return client_bufinfo(task, mid, NULL, NULL, NULL);
}

static void apart(void)
{
    client_enter(task, &first);
    const int one = client_initsend(task, 1);
    client_setcontext(task, 5);
    client_enter(task, &second);
    EQUAL(client_getsbuf(task), 0, "a thread begins without active buffers");
    EQUAL(client_getcontext(task), 0, "and in context 0");
    const int two = client_initsend(task, 1);
    client_enter(task, NULL);
    EQUAL(client_getsbuf(task), 0, "the client's own are others");
    client_enter(task, &first);
    OK(client_getsbuf(task) == one && one != two, "each has its own");
    EQUAL(client_getcontext(task), 5, "and its own context");
    client_enter(task, &second);
    EQUAL(client_getsbuf(task), two, "again and again");
}

static void taken(void)
{
    client_enter(task, &first);
    const int mid = client_initsend(task, 1);
    client_setrbuf(task, mid);
    EQUAL(client_getrbuf(task), mid, "active in one thread");
    client_enter(task, &second);
    client_setsbuf(task, mid);
    EQUAL(client_getsbuf(task), mid, "then in another");
    client_enter(task, &first);
    EQUAL(client_getrbuf(task), 0, "which takes it from the first");
    client_enter(task, NULL);
    client_setrbuf(task, mid);
    client_enter(task, &second);
    EQUAL(client_getsbuf(task), 0, "the client's own thread takes too");
    client_freebuf(task, mid);
    client_enter(task, NULL);
    EQUAL(client_getrbuf(task), 0, "what another frees is active nowhere");
}

static void ended(void)
{
    client_enter(task, &first);
    const int sending = client_initsend(task, 1), kept = client_mkbuf(task, 1);
    client_setrbuf(task, kept);
    client_setrbuf(task, 0);
    const int reading = client_mkbuf(task, 1);
    client_setrbuf(task, reading);
    client_thread_end(task, &first);
    EQUAL(info(sending), CLIENT_PvmNoSuchBuf, "a thread's end frees its send buffer");
    EQUAL(info(reading), CLIENT_PvmNoSuchBuf, "and its receive buffer");
    EQUAL(info(kept), 0, "not what it had put aside");
    OK(!first.is_listed && first.context == 0, "it is as it was before its first call");
    client_enter(task, &second);
    client_freebuf(task, kept);
    client_thread_end(task, &second);
    client_thread_end(task, &second);
    client_enter(task, &first);
    EQUAL(client_getsbuf(task), 0, "it may begin anew");
    client_thread_end(task, &first);
}

/* pvm_probe() shows a message and pvm_setrbuf() opens it, but it still waits for its receiver. */
static void only_seen(void)
{
    const int value = 1;
    client_enter(task, NULL);
    client_psend(task, room_tid(0), 7, &value, 1, 3);
    room_carry(&room, task);
    client_enter(task, &first);
    const int mid = client_probe(task, -1, 7);
    OK(mid > 0, "a message waits");
    client_setrbuf(task, mid);
    client_thread_end(task, &first);
    client_enter(task, &second);
    EQUAL(client_receive(task, -1, 7), mid, "an end does not free what was only looked at");
    client_enter(task, &first);
    client_setrbuf(task, mid);
    client_enter(task, &second);
    EQUAL(client_getrbuf(task), 0, "a received one is taken as any other");
    client_thread_end(task, &second);
    EQUAL(info(mid), 0, "so its former thread does not free it");
    client_thread_end(task, &first);
    EQUAL(info(mid), CLIENT_PvmNoSuchBuf, "but its last one");
}

int main(void)
{
    room_open(&room, 1);
    task = room.tasks[0];
    TEST(apart);
    TEST(taken);
    TEST(ended);
    TEST(only_seen);
    room_close(&room);
    return tap_done();
}
