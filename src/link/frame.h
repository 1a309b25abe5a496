/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames: what a sealed packet carries. Encoding and decoding only; docs/protocol-link.md has every
 * byte. A frame is a type byte and fields, all integers as RFC 9000 section 16 varints.
 */
#ifndef LINK_FRAME_H
#define LINK_FRAME_H

#include "wire/rw.h"

#include <stdbool.h>
#include <stdint.h>

/* X(name, type byte, asks for an acknowledgement) */
#define FRAME_TYPES(X)                                                                             \
    X(PADDING, 0x00, false)                                                                        \
    X(PING, 0x01, true)                                                                            \
    X(ACK, 0x02, false)                                                                            \
    X(GOODBYE, 0x03, false)                                                                        \
    X(PATH_CHALLENGE, 0x04, true)                                                                  \
    X(PATH_RESPONSE, 0x05, true)                                                                   \
    X(GRANT, 0x06, true)                                                                           \
    X(WANT, 0x07, true)                                                                            \
    X(MAX_FLOW, 0x08, true)                                                                        \
    X(MAX_PEER, 0x09, true)                                                                        \
    X(FLOW_RESET, 0x0a, true)                                                                      \
    X(FLOW_END, 0x0b, true)                                                                        \
    X(NOTE, 0x0c, false)                                                                           \
    X(TOMBSTONE, 0x0d, false)                                                                      \
    X(RELAY, 0x0e, true)                                                                           \
    X(RELAYED, 0x0f, true)                                                                         \
    X(CONTROL, 0x10, true)                                                                         \
    X(CONTROL_PART, 0x11, true)                                                                    \
    X(FLOW, 0x20, true)                                                                            \
    X(FLOW_OPEN, 0x21, true)                                                                       \
    X(FLOW_PART, 0x22, true)                                                                       \
    X(FLOW_OPEN_PART, 0x23, true)

enum frame_type {
#define FRAME_ENUM(name, type, asks) FRAME_##name = type,
    FRAME_TYPES(FRAME_ENUM)
#undef FRAME_ENUM
};

enum {
    FRAME_FLAG_OPEN = 1, /* of FLOW: source and destination follow */
    FRAME_FLAG_PART = 2, /* of FLOW: not the whole frame */
    FRAME_DATA_OVERHEAD_MAX = 1 + 8 + 8 + 8 + 4 + 4 + 4, /* header of a CONTROL or FLOW frame */
    FRAME_NAME_BYTES = 8,                                /* of a public key, its first */
    FRAME_RELAY_OVERHEAD_MAX = 1 + FRAME_NAME_BYTES + 4, /* header of a RELAY or RELAYED frame */
    FRAME_ACK_RANGES_MAX = 64,
    FRAME_ACK_BYTES_MAX = 1 + 8 + 8 + 8 + 8 + (FRAME_ACK_RANGES_MAX - 1) * 16
};

/* Part of one unit (a control message or a frame of a flow) of a lane. */
struct frame_data {
    uint64_t lane; /* 0 = control, else the flow's id */
    bool opens;
    uint32_t source, destination; /* when |opens| */
    uint64_t start;               /* offset of the unit in its lane */
    uint64_t length;              /* of the whole unit */
    uint64_t part_offset, part_length;
    const uint8_t *head; /* to send: the first |head_length| bytes of the part lie here, */
    size_t head_length;
    const uint8_t *bytes; /* the others here */
};

struct frame_ack {
    uint64_t largest;
    uint64_t delay_us;
    uint64_t first_length; /* how many numbers before |largest| without a gap */
    uint64_t range_count;  /* further ranges: */
    struct rd ranges;      /* pairs of gap and length, checked: frame_ack_next() */
};

struct frame_relay {
    const uint8_t *name; /* FRAME_NAME_BYTES of the key of whom it is for, or from */
    uint64_t length;
    const uint8_t *bytes; /* one datagram */
};

struct frame {
    enum frame_type type;
    union {
        struct frame_ack ack;
        struct frame_data data;
        struct {
            uint64_t lane, value; /* MAX_FLOW, MAX_PEER, FLOW_RESET, FLOW_END */
        } flow;
        struct {
            uint64_t sequence, amount; /* GRANT, WANT */
        } credit;
        uint8_t token[8]; /* PATH_CHALLENGE, PATH_RESPONSE */
        struct {
            uint64_t length;
            const uint8_t *bytes;
        } note;
        struct frame_relay relay; /* RELAY, RELAYED */
        size_t padding;
    };
};

/* Reads the next frame. False at the end, and when the bytes are no frame: then rd_ok() is
 * false. */
bool frame_decode(struct rd *rd, struct frame *frame);
bool frame_asks_for_ack(enum frame_type type);
/* Walks the ranges of an ACK from the largest down: [*first, *last]. Start with *last =
 * UINT64_MAX on a copy of |ack|. */
bool frame_ack_next(struct frame_ack *ack, uint64_t *first, uint64_t *last);

void frame_encode_empty(struct wr *wr, enum frame_type type); /* PING, GOODBYE, TOMBSTONE */
void frame_encode_note(struct wr *wr, const void *bytes, size_t length);
void frame_encode_relay(struct wr *wr, enum frame_type type, const uint8_t *name,
                        const uint8_t *bytes, size_t length);
void frame_encode_token(struct wr *wr, enum frame_type type, const uint8_t token[8]);
void frame_encode_credit(struct wr *wr, enum frame_type type, uint64_t sequence, uint64_t amount);
void frame_encode_flow(struct wr *wr, enum frame_type type, uint64_t lane, uint64_t value);
/* CONTROL or FLOW, picked by the fields; copies the bytes of the part. */
void frame_encode_data(struct wr *wr, const struct frame_data *data);
/* Bytes that frame_encode_data() needs besides those of the part. */
size_t frame_data_overhead(const struct frame_data *data);

#endif
