/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One message: a head and a body of fragments. Packing writes into the fragments, sending shares
 * them, reading walks across them. Encodings are the business of client/pack.c, ids of
 * client/bufs.c.
 *
 * A body of up to MSG_SMALL_BYTES lies in the message itself and costs no buffer; messages that
 * were destroyed wait in a pool to be used again. So a short message costs no allocation at either
 * end.
 */
#ifndef CLIENT_MSG_H
#define CLIENT_MSG_H

#include "base/buf.h"
#include "base/list.h"
#include "wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    /* A full fragment and a message head make one full frame. */
    MSG_FRAGMENT_BYTES_MAX = FRAME_BODY_BYTES_MAX - MESSAGE_HEAD_BYTES,
    MSG_FRAGMENT_BYTES_FIRST = 4096,
    MSG_ROUTED_BYTES_MAX = 1024 * 1024, /* a fragment where routes give the buffers */
    MSG_SMALL_BYTES = 128,
    MSG_BODY_BYTES_MAX = INT32_MAX
};

enum fragment_kind {
    FRAGMENT_SHARED,   /* a slice of somebody's buffer */
    FRAGMENT_OWN,      /* made by packing here: may grow while nobody else holds it */
    FRAGMENT_SMALL,    /* lies in msg->small, the only one; .buf NULL */
    FRAGMENT_IN_PLACE, /* memory of the program (PvmDataInPlace); .buf NULL */
};

struct fragment {
    struct slice slice;
    enum fragment_kind kind;
};

struct msg;

/* Where messages come from. */
struct msg_pool {
    struct msg *free; /* by |next_free| */
    size_t free_count;
    /* A buffer of about |wanted| bytes for a fragment, or NULL (then buf_create()); may be NULL. */
    struct buf *(*room)(void *context, size_t wanted);
    void *context;
};

struct msg {
    struct list link;    /* queue of delivered messages, or a peer's pending ones */
    int mid;             /* 0 = has no id yet */
    bool is_queued;      /* delivered, waits to be received */
    bool is_reading;     /* pvm_setrbuf() need not rewind */
    bool is_complete;    /* all fragments are here */
    bool is_torn;        /* will never be whole: takes its place in the sequence, then is dropped */
    uint64_t sequence;   /* of (source, this task) */
    uint64_t time;       /* by the sender's clock; 0 = none */
    uint32_t queue_slot; /* for client/queue_index.c */
    uint32_t length_due; /* what the head promised */
    uint32_t encoding;   /* as in struct pvmminfo */
    int tag;
    int context;
    int wait_id;
    int crc;
    int source;
    int destination;
    struct fragment *fragments;
    size_t fragment_count;
    size_t fragment_capacity;
    struct fragment first; /* |fragments| points here until there are two */
    size_t length;         /* of the body */
    size_t read_fragment;  /* reading goes on at fragments[read_fragment] */
    size_t read_offset;    /* in that fragment */
    size_t read_total;     /* bytes of the body read */
    struct msg_pool *pool; /* or NULL */
    struct msg *next_free;
    uint8_t small[MSG_SMALL_BYTES];
};

/* NULL without memory; |pool| may be NULL. */
struct msg *msg_create(struct msg_pool *pool, uint32_t encoding);
/* Frees what waits in it. */
void msg_pool_clear(struct msg_pool *pool);
/* Frees it; unlinks it first. NULL is fine. */
void msg_destroy(struct msg *msg);
/* Drops the body. */
void msg_clear(struct msg *msg);

/* Room for at least one byte at the end; *room says how much in one piece, at most |wanted|.
 * NULL = no memory. |wanted| is how much the caller knows will come: it sizes new fragments. */
uint8_t *msg_room(struct msg *msg, size_t wanted, size_t *room);
/* As msg_room() for exactly |length| bytes when they fit a small body; else NULL. */
static inline uint8_t *msg_room_short(struct msg *msg, size_t length)
{
    if (msg->length + length > MSG_SMALL_BYTES || msg->fragments != &msg->first)
        return NULL;
    if (msg->fragment_count == 0) {
        msg->first = (struct fragment){.kind = FRAGMENT_SMALL, .slice = {.data = msg->small}};
        msg->fragment_count = 1;
    }
    return msg->first.kind == FRAGMENT_SMALL ? msg->small + msg->length : NULL;
}
/* |length| bytes were written there. */
static inline void msg_commit(struct msg *msg, size_t length)
{
    msg->fragments[msg->fragment_count - 1].slice.length += length;
    msg->length += length;
}
/* True when |length| more bytes would make the body too long. */
static inline bool msg_is_full(const struct msg *msg, size_t length)
{
    return length > MSG_BODY_BYTES_MAX - msg->length;
}
/* Copies. 0 or -1 without memory (part may have been appended: roll back). */
int msg_append(struct msg *msg, const void *bytes, size_t length);
/* Shares |slice|, taking a reference of its own; without a buffer it is memory of the program. 0 or
 * -1 without memory (nothing changed). */
int msg_append_slice(struct msg *msg, struct slice slice);
/* The body of |from|: shared, but for pieces up to |copied_bytes| and those in no buffer, unless
 * |share_in_place|: these are copied. As msg_append(). */
int msg_append_body(struct msg *msg, const struct msg *from, size_t copied_bytes,
                    bool share_in_place);

struct msg_mark {
    size_t fragment_count;
    size_t last_length;
    size_t length;
};
struct msg_mark msg_mark(const struct msg *msg);
/* Back to what the body was at |mark|. */
void msg_rollback(struct msg *msg, struct msg_mark mark);

static inline void msg_rewind(struct msg *msg)
{
    msg->read_fragment = msg->read_offset = msg->read_total = 0;
}
static inline size_t msg_left(const struct msg *msg)
{
    return msg->length - msg->read_total;
}
/* The next unread bytes that lie in one piece; *length 0 at the end. */
const uint8_t *msg_peek(struct msg *msg, size_t *length);
/* |length| bytes of what msg_peek() gave were used. */
static inline void msg_skip(struct msg *msg, size_t length)
{
    msg->read_offset += length;
    msg->read_total += length;
}
/* Copies exactly |length| bytes, msg_left() at most. */
void msg_read(struct msg *msg, void *bytes, size_t length);

#endif
