/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Connections of tasks: what was written to each and not yet taken, and when it is not read from.
 *
 * Everything written to a task goes through conn_send(). A frame that came over a flow from another
 * host carries a credit; the bytes go back to that flow when the task took the frame (a
 * multicast's: when the last of its tasks did), or will never take it.
 */
#ifndef CORE_CONN_H
#define CORE_CONN_H

#include "base/list.h"
#include "base/map.h"
#include "core/event.h"

struct node;
struct task;

/* Bytes of one frame of a flow, shared by the tasks the frame was dealt to. */
struct credit {
    uint64_t peer;
    uint32_t source;
    uint32_t destination;
    uint64_t bytes;
    uint32_t references;
};

/* A frame that was written to a task and not yet taken. */
struct sent_frame {
    uint64_t bytes; /* 0 = taken, before others that were written earlier */
    struct credit *credit;
    bool is_lent;   /* its body is not in our memory */
};

struct conn {
    uint64_t id;            /* the shell's */
    uint32_t pid;
    struct task *task;      /* NULL before enrolment and after TM_EXIT */
    struct sent_frame *sent; /* [sent_first, sent_count): oldest first */
    size_t sent_first;
    size_t sent_count;
    size_t sent_capacity;
    uint64_t sent_ticket;   /* of sent[sent_first] */
    uint64_t untaken_bytes; /* in our memory */
    bool is_slow;           /* untaken_bytes passed the window of a flow */
    bool waits_for_queue;   /* not read because tasks of this host hold too much */
    bool is_paused;         /* as the shell was told last */
    bool pair_is_paused;    /* the same for what it publishes in shared memory */
    /* core/share.h */
    uint32_t share_index;   /* 0 = it cannot share memory */
    bool has_fds;           /* its descriptors are with the shell */
    bool asked_daemon;      /* to share with us */
    struct map sharing;     /* id of another conn -> enum share_side */
};

/* One reference; NULL without memory. */
struct credit *credit_create(uint64_t peer, uint32_t source, uint32_t destination, uint64_t bytes);
struct credit *credit_hold(struct credit *credit);
/* The last one gives the bytes back. NULL is fine. */
void credit_drop(struct node *node, struct credit *credit);

struct conn *conn_find(const struct node *node, uint64_t id);
/* Writes |frame| to the task; takes over the reference to |credit|. */
void conn_send(struct node *node, struct conn *conn, const struct frame *frame,
               struct credit *credit);
/* The same with descriptors: those of the conn |fds_of|, or EFFECT_FDS_DAEMON. */
void conn_send_fds(struct node *node, struct conn *conn, const struct frame *frame,
                   uint64_t fds_of);
/* The shell must close it: one line to the log, and the life of its task goes on without it. */
void conn_close(struct node *node, struct conn *conn, const char *why);
/* Our memory holds too much: its socket, or |pair|, is not read from until that is less. */
void conn_wait_for_queue(struct node *node, struct conn *conn, bool pair);
/* node->queued_bytes became less: those who wait for that may go on. */
void conns_queue_shrank(struct node *node);
/* Tells the shell to stop or go on reading, when that changed. */
void conn_update_pause(struct node *node, struct conn *conn);
/* Frees it; for node_destroy(). */
void conn_destroy(struct node *node, struct conn *conn);

/* Events. */
void conn_opened(struct node *node, const struct event *event);
void conn_taken(struct node *node, const struct event *event);
void conn_closed(struct node *node, const struct event *event);

#endif
