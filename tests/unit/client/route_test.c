/* SPDX-License-Identifier: BSD-3-Clause */
/* Routes beside the frames: when one is wanted, what goes by it, what comes in by it, and that
 * order holds whatever way each message took. */
#include "room.h"

#include <string.h>

enum { HELD_MAX = 64, BODY_MAX = 4 * 1024 * 1024 };

/* What a route was given: copies. */
struct held {
    struct parcel parcel;
    uint8_t *bytes;
    void *route;
    size_t pieces;
};

static struct {
    struct held held[HELD_MAX];
    int count;
    int answer; /* of the next sends: 1 takes */
    int wanted[HELD_MAX];
    int wanted_count;
    size_t rooms;
} shell;

static struct buf *room_get(void *context, size_t wanted)
{
    (void)context;
    shell.rooms++;
    return buf_create(wanted);
}

static int route_send(void *context, void *route, const struct parcel *parcel)
{
    (void)context;
    if (shell.answer != 1)
        return shell.answer;
    struct held *held = &shell.held[shell.count++];
    held->parcel = *parcel;
    held->route = route;
    held->pieces = parcel->piece_count;
    held->bytes = malloc(parcel->length + 1);
    size_t length = 0;
    if (parcel->bytes) {
        memcpy(held->bytes, parcel->bytes, parcel->length);
        length = parcel->length;
    }
    for (size_t i = 0; i < parcel->piece_count; i++) {
        memcpy(held->bytes + length, parcel->pieces[i].data, parcel->pieces[i].length);
        length += parcel->pieces[i].length;
    }
    EQUAL(length, parcel->length, "the body is as long as it says");
    held->parcel.bytes = held->bytes;
    held->parcel.pieces = NULL;
    held->parcel.piece_count = 0;
    return 1;
}

static void route_wanted(void *context, int tid)
{
    (void)context;
    shell.wanted[shell.wanted_count++] = tid;
}

static void shell_reset(void)
{
    for (int i = 0; i < shell.count; i++)
        free(shell.held[i].bytes);
    memset(&shell, 0, sizeof(shell));
    shell.answer = 1;
}

static struct client *routed_task(int tid)
{
    const struct client_config config = {
        .signature = client_signature_native(),
        .routes = {.room = room_get, .send = route_send, .wanted = route_wanted}};
    struct client *client = client_create(&config);
    enrol(client, tid, 0);
    return client;
}

static const int daemon_tid = (int)TID_DAEMON | 0x40000;

static void send_number(struct client *client, int to, int tag, int number)
{
    client_initsend(client, 0);
    client_pack(client, CLIENT_INT, &number, 1, 1);
    EQUAL(client_send(client, to, tag), 0, "sent");
}

static int take_number(struct client *client, int source, int tag)
{
    int number = -1;
    if (client_receive(client, source, tag) <= 0)
        return -1;
    client_unpack(client, CLIENT_INT, &number, 1, 1);
    return number;
}

static void frames_drop(struct client *client)
{
    struct frame frame;
    while (client_pull(client, &frame) == 1)
        frame_drop(&frame);
}

static int frames_count(struct client *client)
{
    struct frame frame;
    int count = 0;
    while (client_pull(client, &frame) == 1) {
        frame_drop(&frame);
        count++;
    }
    return count;
}

static void wanted(void)
{
    shell_reset();
    struct client *a = routed_task(room_tid(0));
    send_number(a, room_tid(1), 1, 1);
    EQUAL(shell.wanted_count, 0, "one short message wants no route");
    send_number(a, room_tid(1), 1, 2);
    EQUAL(shell.wanted_count, 2, "the second does");
    EQUAL(shell.wanted[0], room_tid(1), "to the task");
    EQUAL(shell.wanted[1], daemon_tid, "and to the daemon");
    send_number(a, room_tid(1), 1, 3);
    EQUAL(shell.wanted_count, 2, "asked once");
    static uint8_t large[20000];
    client_psend(a, room_tid(2), 1, large, sizeof(large), 1);
    EQUAL(shell.wanted_count, 3, "a large one wants it at once");
    client_psend(a, room_tid(0), 1, large, sizeof(large), 1);
    client_psend(a, 0x80001, 1, large, sizeof(large), 1);
    EQUAL(shell.wanted_count, 3, "not to oneself, and to other hosts the daemon's is enough");
    EQUAL(shell.count, 0, "all went as frames");
    frames_drop(a);
    client_destroy(a);
}

static void one_body(int length, int piece, int encoding)
{
    uint8_t *bytes = malloc((size_t)length + 1), *back = calloc(1, (size_t)length + 1);
    for (int i = 0; i < length; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 255);
    shell_reset();
    struct client *a = routed_task(room_tid(0)), *b = routed_task(room_tid(1));
    client_set_route(a, room_tid(1), &shell);
    client_initsend(a, encoding);
    for (int done = 0; done < length; done += piece)
        client_pack(a, CLIENT_BYTE, bytes + done, length - done < piece ? length - done : piece, 1);
    EQUAL(client_send(a, room_tid(1), 5), 0, "sent");
    OK(client_out_is_empty(a), "not as a frame");
    EQUAL(shell.count, 1, "one parcel");
    const struct parcel *parcel = &shell.held[0].parcel;
    EQUAL(parcel->sequence, 1, "its sequence");
    EQUAL(parcel->party, 0, "no party: the pair knows it");
    EQUAL(client_feed_parcel(b, room_tid(0), parcel), 0, "taken in");
    OK(client_receive(b, room_tid(0), 5) > 0, "received");
    for (int done = 0; done < length; done += piece)
        client_unpack(b, CLIENT_BYTE, back + done, length - done < piece ? length - done : piece,
                      1);
    EQUAL(memcmp(bytes, back, (size_t)length), 0, "the same bytes");
    client_destroy(a);
    client_destroy(b);
    free(bytes);
    free(back);
}

static void bodies(void)
{
    const int lengths[] = {0, 1, 72, 73, 127, 128, 129, 4096, 65536, 1 << 20, (3 << 20) + 5};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        one_body(lengths[i], BODY_MAX, 1);
        one_body(lengths[i], BODY_MAX, 2);
        if (lengths[i] <= 65536)
            one_body(lengths[i], 40, 1);
        one_body(lengths[i], 100004, 0);
    }
    one_body(64 * 100, 100, 2); /* more pieces than the stack holds */
}

static void small_then_large(void)
{
    shell_reset();
    struct client *a = routed_task(room_tid(0));
    client_set_route(a, room_tid(1), &shell);
    static int numbers[1000];
    client_initsend(a, 1);
    client_pack(a, CLIENT_INT, numbers, 1, 1);
    client_pack(a, CLIENT_INT, numbers, 1000, 1);
    client_send(a, room_tid(1), 1);
    EQUAL(shell.held[0].pieces, 1, "a short beginning joins what follows");
    EQUAL(shell.rooms, 1, "in one buffer of the shell's");
    client_destroy(a);
}

static void routes_change(void)
{
    shell_reset();
    struct client *a = routed_task(room_tid(0)), *b = routed_task(room_tid(1));
    struct frame frame;
    send_number(a, room_tid(1), 1, 10);
    client_set_route(a, room_tid(1), &shell);
    send_number(a, room_tid(1), 1, 11);
    shell.answer = 0;
    send_number(a, room_tid(1), 1, 12);
    shell.answer = CLIENT_PvmNoMem;
    EQUAL(client_send(a, room_tid(1), 1), CLIENT_PvmNoMem, "a route without memory says so");
    shell.answer = 1;
    send_number(a, room_tid(1), 1, 13);
    client_set_route(a, room_tid(1), NULL);
    client_set_route(a, daemon_tid, &frame);
    send_number(a, room_tid(1), 1, 14);
    EQUAL(shell.count, 3, "three by routes");
    OK(shell.held[2].route == &frame, "the last by the daemon's");
    EQUAL(shell.held[2].parcel.party, room_tid(1), "which is told for whom");
    for (int i = 2; i >= 0; i--)
        client_feed_parcel(b, room_tid(0), &shell.held[i].parcel);
    EQUAL(take_number(b, -1, -1), -1, "nothing before the first");
    while (client_pull(a, &frame) == 1) {
        client_feed(b, &frame);
        frame_drop(&frame);
    }
    for (int i = 10; i < 15; i++)
        EQUAL(take_number(b, room_tid(0), 1), i, "in order");
    client_feed_parcel(b, room_tid(0), &shell.held[1].parcel);
    EQUAL(client_stats(b).duplicates, 1, "the same again is dropped");
    EQUAL(take_number(b, -1, -1), -1, "and not received");
    client_destroy(a);
    client_destroy(b);
}

static void multicast(void)
{
    shell_reset();
    struct client *a = routed_task(room_tid(0));
    const int tids[] = {room_tid(1), room_tid(2), room_tid(3)};
    client_set_route(a, room_tid(2), &shell);
    int number = 7;
    client_initsend(a, 1);
    client_pack(a, CLIENT_INT, &number, 1, 1);
    EQUAL(client_mcast(a, tids, 3, 9), 0, "to three");
    EQUAL(shell.count, 1, "one has a route");
    EQUAL(frames_count(a), 1, "a frame for the others");
    client_set_route(a, daemon_tid, &number);
    EQUAL(client_mcast(a, tids, 3, 9), 0, "again");
    EQUAL(shell.count, 3, "all by routes");
    EQUAL(shell.held[1].parcel.sequence, 2, "the second to that task");
    const struct parcel *parcel = &shell.held[2].parcel;
    OK(parcel->is_mcast, "a list first");
    EQUAL(parcel->length, 4 + 2 * MCAST_ENTRY_BYTES + 4, "of two, and the body");
    struct rd rd = rd_init(parcel->bytes, parcel->length);
    EQUAL(rd_u32(&rd), 2, "count");
    EQUAL(rd_u32(&rd), room_tid(1), "the first");
    EQUAL(rd_u64(&rd), 2, "its sequence");
    OK(client_out_is_empty(a), "no frame");
    client_destroy(a);
}

static void notice_after(void)
{
    shell_reset();
    struct client *a = routed_task(room_tid(0)), *b = routed_task(room_tid(1));
    client_set_route(a, room_tid(1), &shell);
    send_number(a, room_tid(1), 1, 1);
    send_number(a, room_tid(1), 1, 2);
    struct wr wr;
    wr_init(&wr);
    wr_u32(&wr, (uint32_t)room_tid(0));
    wr_u64(&wr, 2);
    const struct message_head head = {.tag = 77};
    message_head_write(&wr, &head);
    struct frame notice = {.kind = FRAME_NOTICE,
                           .flags = FRAME_FIRST | FRAME_LAST,
                           .source = TID_DAEMON,
                           .body = slice_copy(wr.bytes, wr.length)};
    wr_fini(&wr);
    client_feed_parcel(b, room_tid(0), &shell.held[0].parcel);
    client_feed(b, &notice);
    EQUAL(client_probe(b, -1, 77), 0, "a notice waits for the second message");
    client_feed_parcel(b, room_tid(0), &shell.held[1].parcel);
    OK(client_probe(b, -1, 77) > 0, "then it comes");
    frame_drop(&notice);
    client_destroy(a);
    client_destroy(b);
}

static void no_memory(void)
{
    int failures = 0;
    for (uint64_t nth = 1; nth < 40; nth++) {
        shell_reset();
        struct client *a = routed_task(room_tid(0)), *b = routed_task(room_tid(1));
        client_set_route(a, room_tid(1), &shell);
        static uint8_t bytes[200000];
        client_initsend(a, 2);
        for (int i = 0; i < 20; i++)
            client_pack(a, CLIENT_BYTE, bytes, 10000, 1);
        mem_fail_at(nth, 0);
        const int sent = client_send(a, room_tid(1), 1);
        int fed = -1;
        if (sent == 0 && shell.count == 1)
            fed = client_feed_parcel(b, room_tid(0), &shell.held[0].parcel);
        mem_fail_at(0, 0);
        if (sent < 0) {
            failures++;
            EQUAL(sent, CLIENT_PvmNoMem, "sending says no memory");
            EQUAL(client_send(a, room_tid(1), 1), 0, "and goes the next time");
        }
        if (fed < 0)
            client_feed_parcel(b, room_tid(0), &shell.held[0].parcel);
        OK(client_receive(b, -1, 1) > 0, "received once");
        EQUAL(client_receive(b, -1, 1), 0, "only once");
        client_destroy(a);
        client_destroy(b);
    }
    OK(failures > 0, "some allocation failed");
    EQUAL(buf_live_count(), 0, "no buffer is left");
}

int main(void)
{
    TEST(wanted);
    TEST(bodies);
    TEST(small_then_large);
    TEST(routes_change);
    TEST(multicast);
    TEST(notice_after);
    TEST(no_memory);
    return tap_done();
}
