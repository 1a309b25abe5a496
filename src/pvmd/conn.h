/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One connection of a task, for the two sides of it: its socket (conns.c) and the memory it shares
 * with us (share*.c).
 */
#ifndef PVMD_CONN_H
#define PVMD_CONN_H

#include "os/stream.h"
#include "pvmd/daemon.h"

struct share;

struct conn {
    struct list ready; /* in daemon->ready_conns; alone when it needs no turn */
    struct daemon *daemon;
    uint64_t number;
    uint32_t pid;
    struct stream *stream;
    struct share *share;  /* NULL: it has shown no memory */
    struct slice held;    /* a control frame that waits for what was published before it */
    uint32_t held_turns;
    bool is_paused;       /* by the core */
    bool is_cut;          /* by the core: nothing more is read from it */
    bool has_ended;       /* its socket is at its end; the core hears of it when all was read */
    bool dead;            /* to be destroyed at its next turn */
    char why[128];        /* has_ended */
};

/* The mark of bytes that the core does not count: it has been told that they are taken. */
#define CONN_MARK_UNCOUNTED ((struct stream_mark){.a = UINT64_MAX})

/* It needs a turn. */
void conn_make_ready(void *context);
/* Nothing more can be written to it in order: it ends, as if the task had. */
void conn_lost(struct conn *conn, const char *why);

#endif
