/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The insides of struct client, for the files of this folder only. Each group of fields belongs to
 * the file named; others read it.
 */
#ifndef CLIENT_STATE_H
#define CLIENT_STATE_H

#include "base/map.h"
#include "client/client.h"
#include "client/handlers.h"
#include "client/msg.h"
#include "client/queue.h"

enum { ENCODING_XDR = 0x10000000, ENCODING_IN_PLACE = 0x20000000, ENCODING_TRACE = 0x40000000 };
enum { MSG_COPIED_BYTES = 2048 }; /* up to here a copy is cheaper than a frame or a pinned buffer */

/* ---- seq.c: what is known of one other task (or a daemon) ---- */

struct peer {
    bool is_watched;   /* its daemon will tell us when it ends */
    bool has_ended;    /* it did, and everything it sent was delivered: nobody was told yet */
    bool was_told;     /* the program was, and nothing was heard of the tid since */
    bool is_over;      /* it did: what comes with sequence 1 is from another of that tid */
    uint64_t sent;     /* sequence of our last message to it */
    uint64_t next;     /* the sequence to be delivered next, from 1 */
    void *route;       /* messages for it go by this, see client_set_route(); NULL = the daemon's */
    bool route_wanted; /* the shell was asked for one */
    struct list pending; /* its messages from |next| on, by sequence */
    struct list notices; /* of its end: |sequence| is the message they come after */
};

/* The record of |tid|, made when new; NULL without memory. Valid until the peer's host ends. */
struct peer *peer_lookup(struct client *client, int tid);
void peers_clear(struct client *client);

/* ---- out.c: frames that wait to be sent ---- */

enum { OUT_FRONT_BYTES = FRAME_HEADER_BYTES + MESSAGE_HEAD_BYTES };

struct out_item {
    struct frame_header header; /* length of the whole body */
    struct slice list; /* between frame header and message head: targets of a multicast; or the body
                            of a control message */
    struct slice data;
    uint8_t small[MSG_SMALL_BYTES]; /* data in no buffer: a small body */
    uint16_t small_length;
    uint8_t front[OUT_FRONT_BYTES]; /* frame header, and message head when it is the first frame */
    bool has_head;
};

struct outbox {
    struct out_item *items; /* ring */
    size_t capacity;        /* power of two */
    size_t first;
    size_t count;
    size_t sent; /* bytes of the first item that are gone */
};

/* Room for |count| more items. 0 or -1. */
int out_reserve(struct outbox *out, size_t count);
/* Puts an item into reserved room. Takes over the references in |list| and |data|; |data| of a
 * small body is copied. */
void out_put(struct outbox *out, const struct frame_header *header, const struct message_head *head,
             struct slice list, struct slice data, bool is_small);
void out_clear(struct outbox *out);

/* ---- the whole ---- */

struct client {
    struct client_config config;

    /* life.c */
    struct client_identity identity;
    char *host_name;
    bool enrol_pending;
    int enrol_status;
    char *enrol_error;

    /* bufs.c */
    struct msg_pool pool;
    struct msg **mids; /* [mid]; NULL = free; [0] is never used */
    size_t mid_capacity;
    /* Ring with room for every mid: what was freed last is used again last, so that a program that
     * goes on using a freed buffer is told. */
    int *free_mids;
    size_t free_mid_first;
    size_t free_mid_count;
    struct client_thread *thread; /* whose call this is; &main_thread unless client_enter() */
    struct client_thread main_thread;
    struct client_thread *threads; /* thread.c: the others */

    /* seq.c, match.c */
    struct map peers;    /* by tid */
    struct peer *recent; /* whom peer_get() found last, or NULL */
    int recent_tid;
    struct map lost_hosts; /* by base tid: what came from them last was their end */
    struct queue queue;
    struct handlers handlers;
    client_matcher_f matcher;
    client_hook_f hook;
    void *hook_argument;
    client_lost_f lost;
    void *lost_argument;

    /* out.c, send.c */
    struct outbox out;
    uint64_t multicasts;
    void *daemon_route; /* for whoever has no route of his own */
    bool daemon_route_wanted;

    /* request.c */
    struct map requests; /* wait number to struct request */
    int last_wait;

    /* opts.c */
    int options[32];
    struct wire_sink child_sinks[2]; /* output, trace */
    bool child_sinks_set[2];         /* by the program: enrolment does not replace them */

    struct client_stats stats;
};

/* ---- seq.c: the way that is short ---- */

static inline struct peer *peer_get(struct client *client, int tid)
{
    return client->recent && tid == client->recent_tid ? client->recent : peer_lookup(client, tid);
}

/* ---- bufs.c ---- */

/* The message |mid|, or NULL. */
static inline struct msg *bufs_find(const struct client *client, int mid)
{
    return mid > 0 && (size_t)mid < client->mid_capacity ? client->mids[mid] : NULL;
}
/* Gives |msg| an id. It, or PvmNoMem. A message that has one keeps it. */
int bufs_give_mid(struct client *client, struct msg *msg);
/* Frees |msg|, its id, and its part in queue and active buffers. */
void bufs_release(struct client *client, struct msg *msg);
/* A message with the encoding of pvm_mkbuf(), without id. NULL and *error. */
struct msg *bufs_make(struct client *client, int encoding, int *error);

/* ---- thread.c ---- */

void thread_take_slow(struct client *client, int mid);
/* Whichever other thread has |mid| active has it no more. */
static inline void thread_take(struct client *client, int mid)
{
    if (client->threads)
        thread_take_slow(client, mid);
}

/* ---- match.c ---- */

/* Its notice came after all it sent: the next of that name begins anew. */
void peer_ended(struct client *client, int tid);

/* |msg| is whole and its turn has come. */
void match_deliver(struct client *client, struct msg *msg);
void match_clear(struct client *client);

/* ---- send.c ---- */

int send_msg(struct client *client, struct msg *msg, int tid, int tag);

/* ---- pack.c ---- */

/* As client_pack() and client_unpack(), with a message given. */
int pack_items(struct client *client, struct msg *msg, enum client_type type, const void *items,
               int count, int stride);
int unpack_items(struct client *client, struct msg *msg, enum client_type type, void *items,
                 int count, int stride);
size_t pack_native_size(enum client_type type);
/* CST-10 to our types; -1 = unknown, CLIENT_TYPES = PVM_STR. */
int pack_type_of(int public_type);

/* ---- request.c ---- */

/* One control message came in. 0 or PvmNoMem. */
int request_answered(struct client *client, const struct slice *body);
void requests_clear(struct client *client);
/* Queues |message| as a control frame. 0 or PvmNoMem. */
int request_queue(struct client *client, const struct message *message);

/* ---- life.c ---- */

int life_enrolled(struct client *client, const struct wire_tm_enrolled *answer);

/* ---- opts.c ---- */

void opts_init(struct client *client);
/* The sinks of this task have become known. */
void opts_inherit(struct client *client);
int opts_value(const struct client *client, int option);

#endif
