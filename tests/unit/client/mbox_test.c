/* SPDX-License-Identifier: BSD-3-Clause */
/* Mailboxes in the library: what a put says, and what comes of bytes that are an answer. */
#include "room.h"

#include "base/mem.h"
#include "tap.h"

static struct client *task;

/* The request queued last, in |arena|. */
static struct message pulled(struct arena *arena)
{
    struct message message = {.type = MESSAGE_NONE};
    struct frame frame;
    while (client_pull(task, &frame) == 1) {
        message_decode(frame.body.data, frame.body.length, arena, &message);
        frame_drop(&frame);
    }
    return message;
}

static void there_and_back(void)
{
    struct arena arena;
    struct client_minfo info;
    const int numbers[] = {3, -4};
    int back[2] = {0};
    arena_init(&arena);
    const int mid = client_initsend(task, 0);
    client_pack(task, CLIENT_INT, numbers, 2, 1);
    OK(client_putinfo(task, "box", mid, 2) > 0, "a put");
    struct message put = pulled(&arena);
    EQUAL(put.type, TM_PUTINFO, "is asked for");
    SAME_TEXT(put.tm_putinfo.name, "box", "by name");
    OK(put.tm_putinfo.index == -1 && put.tm_putinfo.flags == 2, "as the flags say");
    EQUAL(put.tm_putinfo.message.length, 4 + MESSAGE_HEAD_BYTES + 8, "with the message");
    struct wire_tm_info answer = {.message = put.tm_putinfo.message};
    const int taken = client_take_info(task, &answer);
    OK(taken > 0 && client_getrbuf(task) == taken, "the answer to a read is the receive buffer");
    EQUAL(client_unpack(task, CLIENT_INT, back, 2, 1), 0, "which can be read");
    OK(back[0] == 3 && back[1] == -4, "as it was packed");
    client_getminfo(task, taken, &info);
    EQUAL(info.source, client_identity(task)->tid, "it says who put it");
    EQUAL(client_getsbuf(task), mid, "the send buffer stays");
    arena_fini(&arena);
}

static void numbers_of_old(void)
{
    struct arena arena;
    int value = 0;
    arena_init(&arena);
    OK(client_insert(task, "old", 4, 3, 77) > 0, "an insert");
    struct message put = pulled(&arena);
    EQUAL(put.tm_putinfo.index, 4, "has an index of its own");
    struct wire_tm_info answer = {.message = put.tm_putinfo.message};
    EQUAL(client_info_value(task, &answer, &value), 0, "a lookup");
    EQUAL(value, 77, "finds the number");
    client_putinfo(task, "old", client_initsend(task, 0), 0);
    put = pulled(&arena);
    answer.message = put.tm_putinfo.message;
    EQUAL(client_info_value(task, &answer, &value), 0, "in a message without one");
    EQUAL(value, 77, "nothing is written");
    arena_fini(&arena);
}

static void parameters(void)
{
    const int mid = client_initsend(task, 0);
    char *name = mem_calloc(1, WIRE_MBOX_NAME_BYTES_MAX + 2);
    memset(name, 'n', WIRE_MBOX_NAME_BYTES_MAX + 1);
    EQUAL(client_putinfo(task, NULL, mid, 0), CLIENT_PvmBadParam, "no name");
    EQUAL(client_putinfo(task, "", mid, 0), CLIENT_PvmBadParam, "an empty one");
    EQUAL(client_putinfo(task, name, mid, 0), CLIENT_PvmBadParam, "one too long");
    EQUAL(client_putinfo(task, "x", 999, 0), CLIENT_PvmNoSuchBuf, "no buffer");
    EQUAL(client_recvinfo(task, "x", -1, 0), CLIENT_PvmBadParam, "no index");
    EQUAL(client_lookup(task, "x", -2), CLIENT_PvmBadParam, "nor here");
    EQUAL(client_delinfo(task, "x", -1, 0), CLIENT_PvmBadParam, "nor here");
    EQUAL(client_insert(task, "x", -2, 0, 0), CLIENT_PvmBadParam, "nor here");
    mem_free(name);
    static char bytes[WIRE_MBOX_BYTES_MAX];
    const int room = WIRE_MBOX_BYTES_MAX - 4 - MESSAGE_HEAD_BYTES;
    client_initsend(task, 1);
    client_pack(task, CLIENT_BYTE, bytes, room, 1);
    OK(client_putinfo(task, "x", client_getsbuf(task), 0) > 0, "the longest message");
    client_pack(task, CLIENT_BYTE, bytes, 1, 1);
    EQUAL(client_putinfo(task, "x", client_getsbuf(task), 0), CLIENT_PvmNoMem, "and one byte more");
}

static void bad_answers(void)
{
    static const uint8_t zeros[40];
    uint8_t lies[4 + MESSAGE_HEAD_BYTES + 2] = {0};
    lies[sizeof(lies) - 3] = 3; /* says 3 bytes, has 2 */
    int wrong = 0;
    for (size_t length = 0; length < 4 + MESSAGE_HEAD_BYTES; length++) {
        struct wire_tm_info answer = {.message = {zeros, length}};
        wrong += client_take_info(task, &answer) != CLIENT_PvmBadMsg;
    }
    EQUAL(wrong, 0, "what is cut off is no message");
    struct wire_tm_info answer = {.message = {lies, sizeof(lies)}};
    EQUAL(client_take_info(task, &answer), CLIENT_PvmBadMsg, "nor what says another length");
    EQUAL(client_info_value(task, &answer, NULL), CLIENT_PvmBadMsg, "for a lookup neither");
}

int main(void)
{
    task = task_new(ROOM_TID, client_signature_native());
    TEST(there_and_back);
    TEST(numbers_of_old);
    TEST(parameters);
    TEST(bad_answers);
    client_destroy(task);
    return tap_done();
}
