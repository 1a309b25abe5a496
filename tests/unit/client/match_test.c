/* SPDX-License-Identifier: BSD-3-Clause */
/* Who takes what: wildcards, contexts, probes, functions of the program, hooks, direct receives. */
#include "room.h"

static struct room room;

static void send_int(int from, int to, int tag, int value)
{
    struct client *client = room.tasks[from];
    client_initsend(client, 0);
    client_pack(client, CLIENT_INT, &value, 1, 1);
    client_send(client, room_tid(to), tag);
    room_carry(&room, client);
}

static int take(int tid, int tag)
{
    int value = -1;
    if (client_receive(room.tasks[0], tid, tag) <= 0)
        return -1;
    client_unpack(room.tasks[0], CLIENT_INT, &value, 1, 1);
    return value;
}

static void wildcards(void)
{
    send_int(1, 0, 5, 100);
    send_int(2, 0, 6, 101);
    send_int(1, 0, 6, 102);
    EQUAL(take(-1, 6), 101, "the oldest of a tag");
    EQUAL(take(room_tid(1), -1), 100, "the oldest of a task");
    EQUAL(take(room_tid(2), 6), -1, "none of that task left");
    EQUAL(take(-1, -1), 102, "the oldest of all");
    EQUAL(take(-1, -1), -1, "none");
}

static void contexts(void)
{
    client_setcontext(room.tasks[1], 9);
    send_int(1, 0, 1, 200);
    EQUAL(take(-1, -1), -1, "another context");
    EQUAL(client_setcontext(room.tasks[0], 9), 0, "the old context is told");
    EQUAL(take(-1, -1), 200, "the same context");
    send_int(1, 0, 1, 201);
    client_setcontext(room.tasks[0], -1);
    EQUAL(take(-1, -1), 201, "-1 takes every context");
    client_setcontext(room.tasks[0], 0);
    client_setcontext(room.tasks[1], 0);
}

static void probes(void)
{
    struct client *a = room.tasks[0];
    EQUAL(client_probe(a, -1, -1), 0, "nothing to look at");
    send_int(1, 0, 3, 300);
    const int mid = client_probe(a, -1, 3);
    OK(mid > 0, "it is there");
    EQUAL(client_probe(a, -1, -1), mid, "and stays");
    int value = 0;
    client_setrbuf(a, mid);
    client_unpack(a, CLIENT_INT, &value, 1, 1);
    EQUAL(value, 300, "one may read it before");
    EQUAL(client_receive(a, -1, 3), mid, "the receive gives the same, although it was active");
    client_unpack(a, CLIENT_INT, &value, 1, 1);
    EQUAL(client_unpack(a, CLIENT_INT, &value, 1, 1), CLIENT_PvmNoData, "from its beginning");
    EQUAL(client_receive(a, -1, -1), 0, "an empty receive");
    EQUAL(client_freebuf(a, mid), CLIENT_PvmNoSuchBuf, "frees the buffer before all the same");
    send_int(1, 0, 3, 301);
    EQUAL(client_freebuf(a, client_probe(a, -1, -1)), 0, "a waiting message can be freed");
    EQUAL(client_receive(a, -1, -1), 0, "then it is gone");
    EQUAL(client_stats(a).messages_queued, 0, "and not counted");
}

static int ranks[8];

static int by_tag(int mid, int tid, int tag)
{
    int found;
    (void)tid;
    (void)tag;
    client_bufinfo(room.tasks[0], mid, NULL, &found, NULL);
    return ranks[found];
}

static void functions(void)
{
    struct client *a = room.tasks[0];
    OK(client_set_matcher(a, by_tag) == NULL, "there was no function before");
    for (int tag = 0; tag < 5; tag++)
        send_int(1, 0, tag, 400 + tag);
    memcpy(ranks, (int[]){0, 2, 5, 5, 0, 0, 0, 0}, sizeof(ranks));
    EQUAL(take(-1, -1), 402, "the highest rank, the earliest of equals");
    ranks[4] = 1;
    EQUAL(take(-1, -1), 404, "rank 1 is taken at once when it is met... last");
    memcpy(ranks, (int[]){0, 0, 0, 1, 0, 0, 0, 0}, sizeof(ranks));
    EQUAL(take(-1, -1), 403, "1 is taken");
    memset(ranks, 0, sizeof(ranks));
    EQUAL(take(-1, -1), -1, "0 is not");
    ranks[1] = CLIENT_PvmDenied;
    EQUAL(client_receive(a, -1, -1), CLIENT_PvmDenied, "an error is the receive's");
    EQUAL(client_probe(a, -1, -1), CLIENT_PvmDenied, "and the probe's");
    OK(client_set_matcher(a, NULL) == by_tag, "back to the default");
    EQUAL(take(-1, 0), 400, "what it left is still there");
    EQUAL(client_match_default(a, client_probe(a, -1, 1), room_tid(1), 1), 1,
          "the default can be asked");
    EQUAL(client_match_default(a, client_probe(a, -1, 1), room_tid(2), 1), 0, "and says no");
    EQUAL(take(-1, 1), 401, "the last");
}

static void direct(void)
{
    struct client *a = room.tasks[0], *b = room.tasks[1];
    const int numbers[] = {1, 2, 3};
    int got[3] = {0}, source = 0, tag = 0, length = 0;
    EQUAL(client_psend(b, room_tid(0), 4, numbers, 3, 3), 0, "packed and sent in one call");
    room_carry(&room, b);
    const int active = client_mkbuf(a, 0);
    client_setrbuf(a, active);
    EQUAL(client_precv(a, -1, 4, got, 2, 3, &source, &tag, &length), 1, "received into memory");
    OK(got[0] == 1 && got[1] == 2 && got[2] == 0, "as much as there is room for");
    OK(source == room_tid(1) && tag == 4 && length == 12, "and told what it was");
    EQUAL(client_getrbuf(a), active, "the active buffer stays");
    client_freebuf(a, active);
    EQUAL(client_precv(a, -1, 4, got, 2, 3, NULL, NULL, NULL), 0, "none left");
    EQUAL(client_precv(a, -1, 4, got, 2, 0, NULL, NULL, NULL), CLIENT_PvmNotImpl, "no strings");
    EQUAL(client_precv(a, -1, 4, got, 2, 99, NULL, NULL, NULL), CLIENT_PvmBadParam, "unknown type");
    EQUAL(client_psend(b, room_tid(0), 4, numbers, 3, 0), CLIENT_PvmNotImpl, "no strings out");
    EQUAL(client_psend(b, room_tid(0), 4, numbers, 3, 12), CLIENT_PvmBadParam, "unknown type out");
    EQUAL(client_psend(b, -5, 4, numbers, 3, 3), CLIENT_PvmBadParam, "no task");
}

static int hook_calls, hook_value;

static bool hook(void *argument, int mid, int context, int tag)
{
    struct client *a = argument;
    hook_calls++;
    client_initsend(a, 0);
    (void)mid;
    if (client_unpack(a, CLIENT_INT, &hook_value, 1, 1) < 0)
        hook_value = -1;
    return context == TID_CONTEXT_CONTROL && tag == 1;
}

static void hooks(void)
{
    struct client *a = room.tasks[0];
    const int mine = client_initsend(a, 0);
    client_set_hook(a, hook, a);
    client_setcontext(room.tasks[1], TID_CONTEXT_CONTROL);
    send_int(1, 0, 1, 500);
    OK(hook_calls == 1 && hook_value == 500, "a message of the system is shown to the hook");
    EQUAL(client_getsbuf(a), mine, "the program's buffers are as before");
    EQUAL(client_getrbuf(a), 0, "both");
    client_setcontext(a, -1);
    EQUAL(client_receive(a, -1, -1), 0, "what it takes is gone");
    send_int(1, 0, 2, 501);
    EQUAL(take(-1, -1), 501, "what it leaves is received from its beginning");
    client_setcontext(room.tasks[1], 0);
    send_int(1, 0, 1, 502);
    EQUAL(hook_calls, 2, "messages of programs are none of its business");
    EQUAL(take(-1, -1), 502, "they arrive");
    client_setcontext(a, 0);
    client_set_hook(a, NULL, NULL);
}

/* Receiving in order must not look at all that waits: 20,000 messages, quickly. */
static void many(void)
{
    int wrong = 0;
    for (int i = 0; i < 20000; i++)
        send_int(1, 0, 7, i);
    for (int i = 0; i < 20000; i++)
        wrong += take(-1, 7) != i;
    EQUAL(wrong, 0, "twenty thousand in order");
}

/* A waiting message that is sent on, or renamed, is found by its new name although an index knew
 * the old one. */
static void renamed(void)
{
    struct client *a = room.tasks[0];
    for (int i = 0; i < 200; i++)
        send_int(1, 0, i, i);
    OK(client_probe(a, -1, 150) > 0, "there is an index by tag");
    const int sent = client_probe(a, -1, 160), named = client_probe(a, -1, 170);
    client_setsbuf(a, sent);
    client_send(a, room_tid(2), 1000);
    client_setsbuf(a, 0);
    EQUAL(client_probe(a, -1, 1000), sent, "sent on with another tag");
    EQUAL(client_probe(a, -1, 160), 0, "it has no longer the old one");
    struct client_minfo info;
    client_getminfo(a, named, &info);
    info.tag = 1001;
    client_setminfo(a, named, &info);
    EQUAL(client_probe(a, room_tid(1), 1001), named, "renamed");
    EQUAL(client_freebuf(a, client_probe(a, -1, 180)), 0, "freed while it waits");
    EQUAL(client_probe(a, -1, 180), 0, "gone from the index too");
    EQUAL(client_stats(a).messages_queued, 199, "the others are there");
    int wrong = 0;
    for (int i = 199; i >= 0; i--)
        wrong += take(-1, i) != (i == 160 || i == 170 || i == 180 ? -1 : i);
    EQUAL(wrong, 0, "each under its tag");
    EQUAL(take(-1, 1001), 170, "the renamed");
    EQUAL(take(-1, -1), 160, "and the one sent on");
}

int main(void)
{
    room_open(&room, 3);
    TEST(wildcards);
    TEST(contexts);
    TEST(probes);
    TEST(functions);
    TEST(direct);
    TEST(hooks);
    TEST(many);
    TEST(renamed);
    room_close(&room);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
