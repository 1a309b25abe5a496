/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames: what travels between a task and its daemon, and in the flows between daemons. One frame
 * is one fragment of a message, or one control message.
 *
 * Layout, 24 bytes, big-endian: length of the body (u32), kind (u8), flags (u8), zero (u16), source
 * tid (u32), destination tid (u32), sequence (u64). The sequence numbers the messages of one
 * (source, destination) pair from 1; all fragments of a message carry it (decision D4).
 *
 * Bodies:
 *   FRAME_CONTROL   a message of wire/msgs.def; sequence 0
 *   FRAME_DATA      bytes of a message; the first fragment starts with a message head (below)
 *   FRAME_MCAST     as DATA for many: the first fragment starts with a count (u32) and that many
 *                   times { tid (u32), sequence (u64) }, then the message head; the frame's own
 *                   sequence is a number of the sender's that holds the fragments together;
 *                   destination 0, or between daemons the tid of the daemon that deals it out
 *   FRAME_NOTICE    a message of the daemon that must not overtake: { source tid (u32), sequence
 *                   (u64) }, then message head and bytes, always one fragment; delivered to the
 *                   program only after that message of that source was delivered or can no longer
 *                   come
 *   FRAME_ABORT     the message |sequence| of the pair ended before its last fragment and will
 *                   never be complete (its sender died): the receiver drops what it has of it and
 *                   goes on. Between daemons, destination the tid of a daemon: the multicast
 *                   |sequence| of the source. From the daemon with a host as source (local part
 *                   0), sequence 0: that host is gone and nothing more comes from any of its
 *                   tasks: the receiver drops what is torn, no longer waits for what is missing,
 *                   and gives out what it holds of them
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include "base/buf.h"
#include "wire/rw.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    FRAME_HEADER_BYTES = 24,
    FRAME_BODY_BYTES_MAX = 64 * 1024,        /* DATA, MCAST, NOTICE, ABORT */
    FRAME_CONTROL_BYTES_MAX = 4 * 1024 * 1024,
    MESSAGE_HEAD_BYTES = 24,
    MCAST_ENTRY_BYTES = 12,
    NOTICE_HEAD_BYTES = 12
};

enum frame_kind {
    FRAME_CONTROL = 1,
    FRAME_DATA = 2,
    FRAME_MCAST = 3,
    FRAME_NOTICE = 4,
    FRAME_ABORT = 5
};

enum { FRAME_FIRST = 1, FRAME_LAST = 2 };

struct frame {
    enum frame_kind kind;
    uint8_t flags;
    uint32_t source;
    uint32_t destination;
    uint64_t sequence;
    struct slice body;
    struct slice raw; /* header and body in one piece where the frame came so, else empty */
    bool by_pair;     /* came through shared memory: its sender is never made to wait for it */
    bool is_lent;     /* and the body lies in the memory of the sender still, not in ours */
};

/* Head of a message, 24 bytes: encoding, tag, context, wait id (u32 each), length of the body of
 * the whole message (u64). The numbers are those of struct pvmminfo. */
struct message_head {
    uint32_t encoding;
    int32_t tag;
    uint32_t context;
    uint32_t wait_id;
    uint64_t length;
};

struct frame_header {
    uint32_t length;
    enum frame_kind kind;
    uint8_t flags;
    uint32_t source;
    uint32_t destination;
    uint64_t sequence;
};

/* Writes the header of |frame| (length from its body). */
void frame_header_encode(const struct frame *frame, uint8_t bytes[FRAME_HEADER_BYTES]);
/* 0; -1 when the kind, the flags or the length are not allowed. */
int frame_header_decode(const uint8_t bytes[FRAME_HEADER_BYTES], struct frame_header *header);
/* A frame over |raw| (header and body in one piece, exactly one frame); takes over no reference:
 * the frame holds its own on body and raw. 0 or -1. */
int frame_from_raw(struct slice raw, struct frame *frame);
/* Makes frame->raw when it is empty, copying. 0, or -1 without memory. */
int frame_make_raw(struct frame *frame);
struct frame frame_hold(const struct frame *frame);
void frame_drop(struct frame *frame);

void message_head_write(struct wr *wr, const struct message_head *head);
/* Checks that the length fits a message below 2 GiB. 0 or -1. */
int message_head_read(struct rd *rd, struct message_head *head);

#endif
