/* SPDX-License-Identifier: BSD-3-Clause */
/* Message handlers: their numbers, what they see, what they may do, and that order is kept. */
#include "room.h"

static struct room room;

/* What handlers did: "a1 b2 ", the handler's letter and the message's number. */
static char told[512];

static const char *tale(void)
{
    static char text[sizeof(told)];
    strcpy(text, told);
    told[0] = '\0';
    return text;
}

static void tell(char who, int what)
{
    snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%c%d", *told ? " " : "", who,
             what);
}

static void send_int(int from, int tag, int value)
{
    struct client *client = room.tasks[from];
    client_initsend(client, 0);
    client_pack(client, CLIENT_INT, &value, 1, 1);
    client_send(client, room_tid(0), tag);
    room_carry(&room, client);
}

static int value_of(void)
{
    int value = -1;
    client_unpack(room.tasks[0], CLIENT_INT, &value, 1, 1);
    return value;
}

static int take(int tid, int tag)
{
    return client_receive(room.tasks[0], tid, tag) > 0 ? value_of() : -1;
}

static int run(void)
{
    return client_run_handlers(room.tasks[0], NULL);
}

static int tells_a(int mid)
{
    (void)mid;
    tell('a', value_of());
    return 0;
}

static int tells_b(int mid)
{
    (void)mid;
    tell('b', value_of());
    return 0;
}

static int add(int source, int tag, int context, client_handler_f function)
{
    return client_add_handler(room.tasks[0], source, tag, context, function);
}

static int del(int handler)
{
    return client_delete_handler(room.tasks[0], handler);
}

/* ---- the table ---- */

static void numbers(void)
{
    OK(!client_has_handlers(room.tasks[0]), "none at first");
    EQUAL(add(1, 2, 3, tells_a), 9, "the first of a program, after those of the system");
    OK(client_has_handlers(room.tasks[0]), "now there is one");
    EQUAL(add(1, 2, 4, tells_a), 10, "the next");
    EQUAL(add(1, 2, 5, tells_a), 11, "and the next");
    EQUAL(del(10), 0, "one goes");
    EQUAL(del(9), 0, "and another");
    EQUAL(add(1, 2, 6, tells_a), 9, "its number comes again");
    EQUAL(add(1, 2, 7, tells_a), 10, "then the one that went before");
    EQUAL(add(1, 2, 8, tells_a), 12, "then a new one");
    for (int handler = 9; handler <= 12; handler++)
        del(handler);
    OK(!client_has_handlers(room.tasks[0]), "none");
    EQUAL(add(1, 2, 8, tells_a), 12, "and one");
    EQUAL(add(1, 2, 6, tells_a), 11, "and two");
    EQUAL(add(1, 2, 7, tells_a), 10, "and three");
    EQUAL(add(1, 2, 9, tells_a), 9, "and four");
    EQUAL(del(-1), CLIENT_PvmBadParam, "no number");
    EQUAL(del(13), CLIENT_PvmNotFound, "never given");
    EQUAL(del(9), 0, "given");
    EQUAL(del(9), CLIENT_PvmNotFound, "only once");
    EQUAL(add(1, 2, 19, NULL), CLIENT_PvmBadParam, "a handler is a function");
    client_clear_handlers(room.tasks[0]);
    EQUAL(del(0), 0, "those of the system can be deleted, as ever");
    EQUAL(del(0), CLIENT_PvmNotFound, "once");
    EQUAL(add(1, 2, 3, tells_a), 0, "and give their number");
    client_clear_handlers(room.tasks[0]);
    EQUAL(add(1, 2, 3, tells_a), 9, "after all went it begins anew");
    client_clear_handlers(room.tasks[0]);
    OK(!client_has_handlers(room.tasks[0]), "none again");
}

static void overlaps(void)
{
    add(1, 2, 3, tells_a);
    EQUAL(add(1, 2, 3, tells_b), CLIENT_PvmExists, "the same messages");
    EQUAL(add(-1, 2, 3, tells_b), CLIENT_PvmExists, "more of the same");
    EQUAL(add(1, -1, 3, tells_b), CLIENT_PvmExists, "of any tag");
    EQUAL(add(1, 2, -1, tells_b), CLIENT_PvmExists, "of any context");
    OK(add(1, 2, 4, tells_b) > 0, "another context");
    OK(add(1, -1, 5, tells_b) > 0, "all of a task and context");
    EQUAL(add(1, 7, 5, tells_b), CLIENT_PvmExists, "part of these");
    OK(add(2, 7, 5, tells_b) > 0, "another task");
    EQUAL(add(-1, -1, -1, tells_b), CLIENT_PvmExists, "everything");
    client_clear_handlers(room.tasks[0]);
    EQUAL(add(-1, -1, -1, tells_a), CLIENT_PvmExists, "the system's own are in the way of that");
    EQUAL(add(-1, TAG_CONTROL_SIBLINGS, -1, tells_a), CLIENT_PvmExists, "and of each of theirs");
    OK(add(-1, TAG_CONTROL_OUTPUT, -1, tells_a) > 0, "output is nobody's");
    client_clear_handlers(room.tasks[0]);
    OK(add(-1, -1, 0, tells_a) > 0, "one whole context");
    client_clear_handlers(room.tasks[0]);
}

/* ---- the call ---- */

static int seen_mid, seen_context, left_mid, made_mid;

static int looks(int mid)
{
    struct client *a = room.tasks[0];
    seen_mid = mid == client_getrbuf(a) && client_getsbuf(a) == 0 ? mid : -1;
    seen_context = client_getcontext(a);
    tell('l', value_of());
    left_mid = client_initsend(a, 0);
    made_mid = client_mkbuf(a, 0);
    client_setcontext(a, 77);
    return -12;
}

static void what_it_sees(void)
{
    struct client *a = room.tasks[0];
    client_setcontext(room.tasks[1], 5);
    add(-1, 3, -1, looks);
    const int sending = client_initsend(a, 0), reading = client_mkbuf(a, 0);
    client_setrbuf(a, reading);
    client_setcontext(a, 4);
    send_int(1, 3, 30);
    SAME_TEXT(tale(), "", "not while the message is delivered");
    EQUAL(client_stats(a).messages_queued, 0, "yet it does not wait to be received");
    EQUAL(run(), 1, "handlers run");
    SAME_TEXT(tale(), "l30", "when they are told to");
    OK(seen_mid > 0, "the message is the active receive buffer, there is no send buffer");
    EQUAL(seen_context, 5, "its context is current");
    EQUAL(client_getcontext(a), 4, "and is not any more");
    OK(client_getsbuf(a) == sending && client_getrbuf(a) == reading, "nor are the buffers");
    EQUAL(client_bufinfo(a, seen_mid, NULL, NULL, NULL), CLIENT_PvmNoSuchBuf,
          "the message is freed");
    EQUAL(client_bufinfo(a, left_mid, NULL, NULL, NULL), CLIENT_PvmNoSuchBuf,
          "and what was to be sent");
    EQUAL(client_freebuf(a, made_mid), 0, "but nothing else");
    client_freebuf(a, reading);
    client_setcontext(a, 0);
    client_setcontext(room.tasks[1], 0);
    EQUAL(run(), 0, "nothing more to do");
    SAME_TEXT(tale(), "", "once is all");
    client_clear_handlers(a);
}

static bool hook(void *argument, int mid, int context, int tag)
{
    (void)argument;
    (void)mid;
    (void)context;
    tell('h', value_of());
    return tag == 3;
}

static void behind_the_hook(void)
{
    client_set_hook(room.tasks[0], hook, NULL);
    client_setcontext(room.tasks[1], TID_CONTEXT_CONTROL);
    add(-1, 3, -1, tells_a);
    add(-1, 4, -1, tells_b);
    send_int(1, 3, 1);
    send_int(1, 4, 2);
    run();
    SAME_TEXT(tale(), "h1 h2 b2", "a handler gets what the hook leaves, from its beginning");
    client_setcontext(room.tasks[1], 0);
    client_set_hook(room.tasks[0], NULL, NULL);
    client_clear_handlers(room.tasks[0]);
}

static void who_is_called(void)
{
    send_int(1, 3, 1);
    add(room_tid(1), 3, -1, tells_a);
    add(-1, 4, 0, tells_b);
    run();
    SAME_TEXT(tale(), "", "what waits already stays");
    EQUAL(take(-1, 3), 1, "and is received");
    send_int(1, 3, 2);
    send_int(2, 3, 3);
    send_int(2, 4, 4);
    send_int(1, 4, 5);
    run();
    SAME_TEXT(tale(), "a2 b4 b5", "each handler its own, in order");
    EQUAL(take(-1, -1), 3, "the rest is received");
    EQUAL(take(-1, -1), -1, "no more");
    client_setcontext(room.tasks[2], 8);
    send_int(2, 4, 6);
    run();
    client_setcontext(room.tasks[2], 0);
    SAME_TEXT(tale(), "", "not in another context");
    client_setcontext(room.tasks[0], -1);
    EQUAL(take(-1, -1), 6, "there it waits");
    client_setcontext(room.tasks[0], 0);
    client_clear_handlers(room.tasks[0]);
}

/* ---- what a handler may do ---- */

static int number;

static int deletes_itself(int mid)
{
    (void)mid;
    tell('d', value_of());
    del(number);
    return 0;
}

static int adds_another(int mid)
{
    (void)mid;
    tell('n', value_of());
    add(-1, 6, -1, tells_b);
    return 0;
}

static void changes_inside(void)
{
    number = add(-1, 5, -1, deletes_itself);
    for (int i = 0; i < 3; i++)
        send_int(1, 5, i);
    run();
    SAME_TEXT(tale(), "d0", "it is called no more");
    OK(take(-1, 5) == 1 && take(-1, 5) == 2, "what comes after is received");
    add(-1, 5, -1, adds_another);
    send_int(1, 6, 10);
    send_int(1, 5, 11);
    send_int(1, 6, 12);
    send_int(1, 7, 13);
    run();
    SAME_TEXT(tale(), "n11 b12", "a new one gets what comes after");
    OK(take(-1, -1) == 10 && take(-1, -1) == 13, "the others keep their order");
    client_clear_handlers(room.tasks[0]);
}

static int frees(int mid)
{
    tell('f', value_of());
    client_freebuf(room.tasks[0], mid);
    for (int i = 0; i < 40; i++) /* somebody else gets its id, and its memory */
        client_mkbuf(room.tasks[0], 0);
    return 0;
}

static int sends_it_on(int mid)
{
    struct client *a = room.tasks[0];
    tell('s', value_of());
    client_setsbuf(a, mid);
    client_send(a, room_tid(1), 9);
    return 0;
}

static int answers(int mid)
{
    struct client *a = room.tasks[0];
    const int value = value_of() + 1;
    int from;
    client_bufinfo(a, mid, NULL, NULL, &from);
    tell('q', value - 1);
    client_initsend(a, 0);
    client_pack(a, CLIENT_INT, &value, 1, 1);
    client_send(a, from, 10);
    return 0;
}

static void buffers_inside(void)
{
    struct client *a = room.tasks[0], *b = room.tasks[1];
    for (int mid = 1; mid < 200; mid++)
        client_freebuf(a, mid);
    add(-1, 1, -1, frees);
    add(-1, 2, -1, sends_it_on);
    add(-1, 3, -1, answers);
    send_int(1, 1, 100);
    run();
    SAME_TEXT(tale(), "f100", "it may free the message");
    int left = 0;
    for (int mid = 1; mid < 200; mid++)
        left += client_freebuf(a, mid) == 0;
    EQUAL(left, 40, "then nothing of others is freed");
    send_int(1, 2, 200);
    send_int(1, 3, 300);
    run();
    SAME_TEXT(tale(), "s200 q300", "send it on, answer it");
    room_carry(&room, a);
    int value = 0;
    OK(client_receive(b, room_tid(0), 9) > 0, "the one that was sent on");
    client_unpack(b, CLIENT_INT, &value, 1, 1);
    EQUAL(value, 200, "is the same");
    OK(client_receive(b, room_tid(0), 10) > 0, "the answer");
    client_unpack(b, CLIENT_INT, &value, 1, 1);
    EQUAL(value, 301, "is another");
    client_clear_handlers(a);
}

/* A handler that waits: more comes, and is received inside. */
static int receives(int mid)
{
    struct client *a = room.tasks[0];
    (void)mid;
    tell('r', value_of());
    send_int(1, 5, 20);
    send_int(1, 6, 21);
    send_int(1, 5, 22);
    tell('p', run());
    tell('p', run());
    tell('t', take(-1, 6));
    tell('t', take(-1, 5));
    client_delete_handler(a, number);
    return 0;
}

static void waits_inside(void)
{
    number = add(-1, 5, -1, tells_a);
    add(-1, 4, -1, receives);
    send_int(1, 4, 10);
    send_int(1, 7, 11);
    send_int(1, 5, 12);
    send_int(1, 7, 13);
    run();
    SAME_TEXT(tale(), "r10 p1 p0 t21 t-1", "what is to be handled waits until it has ended");
    EQUAL(take(-1, -1), 11, "its handler was deleted meanwhile:");
    EQUAL(take(-1, -1), 12, "it goes");
    EQUAL(take(-1, -1), 13, "where it would have been");
    EQUAL(take(-1, -1), 20, "in the order");
    EQUAL(take(-1, -1), 22, "of its sender");
    EQUAL(take(-1, -1), -1, "all of it");
    send_int(1, 4, 14);
    run();
    SAME_TEXT(tale(), "r14 p0 p0 t21 t20", "a handler can run again");
    OK(take(-1, 5) == 22, "the rest");
    client_clear_handlers(room.tasks[0]);
}

static int leaves(int mid)
{
    (void)mid;
    tell('x', value_of());
    client_clear_handlers(room.tasks[0]);
    client_leave(room.tasks[0]);
    return 0;
}

static void leaving(void)
{
    add(-1, 5, -1, leaves);
    send_int(1, 5, 1);
    send_int(1, 5, 2);
    send_int(1, 6, 3);
    EQUAL(run(), 1, "the task leaves from inside");
    SAME_TEXT(tale(), "x1", "nothing is handled after that");
    EQUAL(take(-1, -1), -1, "nor there");
    room_close(&room);
    room_open(&room, 3);
    add(-1, 5, -1, tells_a);
    send_int(1, 5, 1);
    client_leave(room.tasks[0]);
    EQUAL(run(), 0, "what came before the end of the connection");
    SAME_TEXT(tale(), "", "is gone");
    room_close(&room);
    room_open(&room, 3);
}

/* ---- a shell ---- */

static int shell_context;

static void shell_call(client_handler_f function, int mid, int context)
{
    static struct client_thread other;
    other.receive_mid = 5;
    other.context = 9;
    shell_context = context;
    client_enter(room.tasks[0], &other); /* another thread had its turn */
    client_enter(room.tasks[0], NULL);
    function(mid);
    client_enter(room.tasks[0], &other);
}

static void shells(void)
{
    add(-1, 5, -1, looks);
    const int sending = client_initsend(room.tasks[0], 0);
    send_int(1, 5, 1);
    EQUAL(client_run_handlers(room.tasks[0], shell_call), 1, "the shell calls");
    SAME_TEXT(tale(), "l1", "and is told what");
    EQUAL(shell_context, 0, "in which context");
    EQUAL(client_getsbuf(room.tasks[0]), sending, "the caller's buffers are as before");
    client_freebuf(room.tasks[0], made_mid);
    client_clear_handlers(room.tasks[0]);
}

/* ---- faults ---- */

static void without_memory(void)
{
    struct client *fresh = task_new(room_tid(0), client_signature_native());
    client_destroy(room.tasks[0]);
    room.tasks[0] = fresh;
    mem_fail_at(1, 0);
    EQUAL(add(-1, 5, -1, tells_a), CLIENT_PvmNoMem, "no memory for a table");
    mem_fail_at(1, 0);
    EQUAL(del(3), CLIENT_PvmNoMem, "nor to look into it");
    mem_fail_at(2, 0);
    EQUAL(add(-1, 100, -1, tells_a), 9, "the system's rows come together");
    mem_fail_at(0, 0);
    del(9);
    int added = 0, refused = 0;
    for (int i = 0; i < 40; i++) {
        mem_fail_at(1, 0);
        int handler = add(-1, i, -1, tells_a);
        mem_fail_at(0, 0);
        if (handler < 0) {
            refused += handler == CLIENT_PvmNoMem;
            handler = add(-1, i, -1, tells_a);
        }
        added += handler == 9 + i;
    }
    OK(refused > 0 && added == 40, "numbers do not depend on it");
    client_clear_handlers(room.tasks[0]);
    add(-1, 5, -1, tells_a);
    client_destroy(room.tasks[1]);
    room.tasks[1] = task_new(room_tid(1), client_signature_native());
    send_int(1, 5, 1);
    send_int(1, 6, 2);
    mem_fail_at(1, 0);
    EQUAL(run(), CLIENT_PvmNoMem, "no memory for an id");
    mem_fail_at(0, 0);
    EQUAL(run(), 1, "another time");
    SAME_TEXT(tale(), "a1", "it is handled");
    EQUAL(take(-1, -1), 2, "nothing is lost");
    client_clear_handlers(room.tasks[0]);
}

int main(void)
{
    room_open(&room, 3);
    TEST(numbers);
    TEST(overlaps);
    TEST(what_it_sees);
    TEST(behind_the_hook);
    TEST(who_is_called);
    TEST(changes_inside);
    TEST(buffers_inside);
    TEST(waits_inside);
    TEST(leaving);
    TEST(shells);
    TEST(without_memory);
    room_close(&room);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
