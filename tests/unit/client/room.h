/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A few tasks in one room, for tests of the client layer: enrols them without a daemon, and carries
 * frames between them as daemons would (a multicast is dealt out as DATA).
 */
#ifndef TESTS_CLIENT_ROOM_H
#define TESTS_CLIENT_ROOM_H

#include "base/mem.h"
#include "client/client.h"
#include "tap.h"

#include <stdlib.h>

enum { ROOM_TASKS_MAX = 4, ROOM_TID = 0x40001 };

struct room {
    struct client *tasks[ROOM_TASKS_MAX];
    int count;
};

static inline int room_tid(int index)
{
    return ROOM_TID + index;
}

static inline struct frame control_frame(const struct message *message)
{
    struct wr wr;
    wr_init(&wr);
    message_encode(&wr, message);
    struct frame frame = {
        .kind = FRAME_CONTROL, .source = TID_DAEMON, .body = slice_copy(wr.bytes, wr.length)};
    wr_fini(&wr);
    return frame;
}

static inline int feed_control(struct client *client, const struct message *message)
{
    struct frame frame = control_frame(message);
    const int status = client_feed(client, &frame);
    frame_drop(&frame);
    return status;
}

static inline void enrol(struct client *client, int tid, int parent)
{
    static const struct wire_sink sinks[2];
    struct frame frame;
    client_enrol(client, 1, 0, "");
    if (client_pull(client, &frame) == 1)
        frame_drop(&frame);
    const struct message answer = {.type = TM_ENROLLED,
                                   .tm_enrolled = {.version = PROTOCOL_TASK_VERSION,
                                                   .tid = (uint32_t)tid,
                                                   .parent = parent,
                                                   .host_name = "here",
                                                   .sinks = {2, sinks},
                                                   .daemon_tid = TID_DAEMON | 0x40000}};
    feed_control(client, &answer);
}

static inline struct client *task_new(int tid, uint32_t signature)
{
    const struct client_config config = {.signature = signature, .copy_in_place = true};
    struct client *client = client_create(&config);
    enrol(client, tid, 0);
    return client;
}

static inline void room_open(struct room *room, int count)
{
    room->count = count;
    for (int i = 0; i < count; i++)
        room->tasks[i] = task_new(room_tid(i), client_signature_native());
}

static inline void room_close(struct room *room)
{
    for (int i = 0; i < room->count; i++)
        client_destroy(room->tasks[i]);
}

static inline struct client *room_find(struct room *room, uint32_t tid)
{
    for (int i = 0; i < room->count; i++)
        if ((uint32_t)room_tid(i) == tid)
            return room->tasks[i];
    return NULL;
}

/* Multicasts under way: the list of the first frame serves the later ones. */
static inline void deal_out(struct room *room, const struct frame *frame)
{
    static uint32_t tids[8192];
    static uint64_t sequences[8192];
    static uint32_t count;
    struct rd rd = rd_init(frame->body.data, frame->body.length);
    if (frame->flags & FRAME_FIRST) {
        count = rd_count(&rd, MCAST_ENTRY_BYTES);
        for (uint32_t i = 0; i < count; i++) {
            tids[i] = rd_u32(&rd);
            sequences[i] = rd_u64(&rd);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        struct client *to = room_find(room, tids[i]);
        struct frame copy = *frame;
        copy.kind = FRAME_DATA;
        copy.destination = tids[i];
        copy.sequence = sequences[i];
        copy.body = slice_part(frame->body, (size_t)(rd.at - frame->body.data), rd_left(&rd));
        if (to)
            client_feed(to, &copy);
        slice_drop(&copy.body);
    }
}

/* Everything that waits in |from| goes where it is to go. */
static inline void room_carry(struct room *room, struct client *from)
{
    struct frame frame;
    while (client_pull(from, &frame) == 1) {
        if (frame.kind == FRAME_MCAST) {
            deal_out(room, &frame);
        } else if (frame.kind == FRAME_DATA) {
            struct client *to = room_find(room, frame.destination);
            if (to)
                client_feed(to, &frame);
        }
        frame_drop(&frame);
    }
}

/* The body of message |mid|, as bytes; *length at most |max|. */
static inline int body_bytes(struct client *client, int mid, uint8_t *bytes, int max)
{
    int length = 0;
    const int previous = client_setrbuf(client, mid);
    client_bufinfo(client, mid, &length, NULL, NULL);
    if (length > max)
        length = max;
    client_unpack(client, CLIENT_BYTE, bytes, length, 1);
    client_setrbuf(client, previous);
    return length;
}

#endif
