/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending: parameters, sequences, the cut into frames, multicast, the bytes of the outbox,
 * memory. */
#include "room.h"

static void parameters(void)
{
    struct room room;
    room_open(&room, 2);
    struct client *a = room.tasks[0];
    const int tids[] = {room_tid(1), -1};
    EQUAL(client_send(a, -1, 1), CLIENT_PvmBadParam, "no task");
    EQUAL(client_send(a, 0x40000, 1), CLIENT_PvmBadParam, "a host is no task");
    EQUAL(client_send(a, room_tid(1), -1), CLIENT_PvmBadParam, "a reserved tag");
    EQUAL(client_send(a, room_tid(1), 1), CLIENT_PvmNoBuf, "no buffer, after the parameters");
    EQUAL(client_mcast(a, tids, -1, 1), CLIENT_PvmNoBuf, "a multicast asks for the buffer first");
    client_initsend(a, 0);
    EQUAL(client_mcast(a, tids, -1, 1), CLIENT_PvmBadParam, "a count below zero");
    EQUAL(client_mcast(a, tids, 2, 1), CLIENT_PvmBadParam, "one that is no task");
    EQUAL(client_mcast(a, tids, 1, -1), CLIENT_PvmBadParam, "a reserved tag");
    EQUAL(client_mcast(a, tids, 0, 1), 0, "to nobody");
    OK(client_out_is_empty(a), "and nothing was sent");
    client_setopt(a, 11, 1, NULL);
    EQUAL(client_send(a, room_tid(1), -1), 0, "an option allows reserved tags");
    EQUAL(client_send(a, -1111, -2222), 0, "a trace event of the user's own");
    room_close(&room);
    const struct client_config config = {.signature = client_signature_native()};
    struct client *nobody = client_create(&config);
    client_initsend(nobody, 0);
    EQUAL(client_send(nobody, room_tid(1), 1), CLIENT_PvmSysErr, "who is not enrolled cannot send");
    EQUAL(client_mcast(nobody, tids, 1, 1), CLIENT_PvmSysErr, "nor to many");
    client_destroy(nobody);
}

/* Sends |length| bytes and checks frames and arrival. */
static void cut(int length)
{
    struct room room;
    room_open(&room, 2);
    struct client *a = room.tasks[0], *b = room.tasks[1];
    char *bytes = malloc((size_t)length + 1), *back = malloc((size_t)length + 1);
    for (int i = 0; i < length; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    client_initsend(a, 1);
    for (int done = 0; done < length;) {
        const int part = length - done < 1000 || done > 20000 ? length - done : 1000;
        client_pack(a, CLIENT_BYTE, bytes + done, part, 1);
        done += part;
    }
    client_send(a, room_tid(1), 1);
    struct frame frame;
    int frames = 0, wrong = 0, first = 0, last = 0;
    while (client_pull(a, &frame) == 1) {
        frames++;
        first += (frame.flags & FRAME_FIRST) != 0;
        last += (frame.flags & FRAME_LAST) != 0;
        wrong += frame.sequence != 1 || frame.source != (uint32_t)room_tid(0) ||
                 frame.body.length > FRAME_BODY_BYTES_MAX;
        client_feed(b, &frame);
        frame_drop(&frame);
    }
    OK(wrong == 0 && first == 1 && last == 1,
       "frames have the head's and the end's mark and one sequence");
    OK(frames <= length / 65536 + 4, "not more of them than need be");
    client_receive(b, -1, -1);
    client_unpack(b, CLIENT_BYTE, back, length, 1);
    OK(memcmp(bytes, back, (size_t)length) == 0, "and the bytes arrive");
    free(bytes);
    free(back);
    room_close(&room);
}

static void cuts(void)
{
    static const int lengths[] = {0, 1, 65511, 65512, 65513, 65536, 200000, 3000000};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        cut(lengths[i]);
}

static void sequences(void)
{
    struct room room;
    room_open(&room, 3);
    struct client *a = room.tasks[0];
    const int both[] = {room_tid(2), room_tid(1), room_tid(2), room_tid(0)};
    struct frame frame;
    client_initsend(a, 0);
    client_send(a, room_tid(1), 1);
    client_mcast(a, both, 4, 2);
    client_send(a, room_tid(1), 3);
    client_send(a, room_tid(2), 4);
    client_pull(a, &frame);
    EQUAL(frame.sequence, 1, "the first to one");
    frame_drop(&frame);
    client_pull(a, &frame);
    OK(frame.kind == FRAME_MCAST && frame.destination == 0, "then a multicast");
    struct rd rd = rd_init(frame.body.data, frame.body.length);
    EQUAL(rd_u32(&rd), 2, "without doubles and without the sender");
    OK(rd_u32(&rd) == (uint32_t)room_tid(1) && rd_u64(&rd) == 2, "it takes the next of the one");
    OK(rd_u32(&rd) == (uint32_t)room_tid(2) && rd_u64(&rd) == 1, "and the first of the other");
    frame_drop(&frame);
    client_pull(a, &frame);
    EQUAL(frame.sequence, 3, "the next to one");
    frame_drop(&frame);
    client_pull(a, &frame);
    EQUAL(frame.sequence, 2, "the next to the other");
    frame_drop(&frame);
    room_close(&room);
}

static void multicast_to(int count, int length)
{
    struct room room;
    room_open(&room, 3);
    struct client *a = room.tasks[0];
    int *tids = calloc((size_t)count, sizeof(*tids));
    char *bytes = calloc(1, (size_t)length);
    for (int i = 0; i < count; i++)
        tids[i] = room_tid(count - i);
    client_initsend(a, 1);
    client_pack(a, CLIENT_BYTE, bytes, length, 1);
    EQUAL(client_mcast(a, tids, count, 8), 0, "to many");
    room_carry(&room, a);
    for (int i = 1; i < 3; i++) {
        int got = -1;
        client_bufinfo(room.tasks[i], client_receive(room.tasks[i], room_tid(0), 8), &got, NULL,
                       NULL);
        EQUAL(got, length, "whole, at each");
    }
    EQUAL(client_receive(room.tasks[0], -1, -1), 0, "not at the sender");
    free(tids);
    free(bytes);
    room_close(&room);
}

static void multicasts(void)
{
    multicast_to(2, 10);
    multicast_to(2, 500000);
    multicast_to(4000, 60000);
    multicast_to(7000, 100000); /* more than one list can hold */
}

/* The same bytes, whether pulled as frames or written in pieces, however small. */
static void pieces(void)
{
    struct room room[2];
    struct client *a[2];
    const int many[] = {room_tid(1), room_tid(2)};
    static char body[150000];
    for (int i = 0; i < 2; i++) {
        room_open(&room[i], 3);
        a[i] = room[i].tasks[0];
        client_initsend(a[i], 1);
        client_pack(a[i], CLIENT_BYTE, body, sizeof(body), 1);
        client_send(a[i], room_tid(1), 1);
        client_mcast(a[i], many, 2, 2);
        client_pstat(a[i], room_tid(1));
    }
    size_t compared = 0, wrong = 0, step = 1;
    struct frame frame;
    while (client_pull(a[0], &frame) == 1) {
        for (size_t done = 0; done < frame.raw.length;) {
            struct client_piece piece;
            wrong += client_out_pieces(a[1], &piece, 1) != 1;
            const size_t part = MIN_OF(MIN_OF(piece.length, step), frame.raw.length - done);
            wrong += memcmp(piece.data, frame.raw.data + done, part) != 0;
            client_out_sent(a[1], part);
            done += part;
            compared += part;
            step = step % 700 + 13;
        }
        frame_drop(&frame);
    }
    OK(wrong == 0 && client_out_is_empty(a[1]), "written in pieces or pulled whole it is the same");
    OK(compared > 300000, "all of it");
    for (int i = 0; i < 2; i++)
        room_close(&room[i]);
}

static void no_memory(void)
{
    int wrong = 0, finished = 0;
    static char body[100000];
    for (uint64_t nth = 1; nth < 60 && !finished; nth++) {
        struct room room;
        const int many[] = {room_tid(1), room_tid(2)};
        room_open(&room, 3);
        struct client *a = room.tasks[0];
        client_initsend(a, nth % 2 ? 1 : 2);
        client_pack(a, CLIENT_BYTE, body, sizeof(body), 1);
        mem_fail_at((nth + 1) / 2, 0);
        const int one = client_send(a, room_tid(1), 1);
        const int all = client_mcast(a, many, 2, 2);
        mem_fail_at(0, 0);
        finished = one == 0 && all == 0 && nth > 20;
        wrong += (one != 0 && one != CLIENT_PvmNoMem) || (all != 0 && all != CLIENT_PvmNoMem);
        client_send(a, room_tid(1), 3);
        room_carry(&room, a);
        struct client *b = room.tasks[1];
        wrong += (client_receive(b, -1, 1) > 0) != (one == 0);
        wrong += (client_receive(b, -1, 2) > 0) != (all == 0);
        wrong += client_receive(b, -1, 3) <= 0;
        room_close(&room);
    }
    OK(finished && wrong == 0, "a send without memory sends nothing and takes no sequence");
}

int main(void)
{
    TEST(parameters);
    TEST(cuts);
    TEST(sequences);
    TEST(multicasts);
    TEST(pieces);
    TEST(no_memory);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
