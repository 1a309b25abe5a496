/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The routes through shared memory that this task has (docs/datapath.md): one pair for each task of
 * this host it says much to or hears much from, and one for the daemon.
 *
 *   pairs.c   the books: by tid, by index, the callbacks of the client layer, opening and closing
 *   attach.c  TM_ATTACH, TM_PEER, TM_GONE
 *   news.c    finding what came, feeding it to the client layer, giving back what was lent
 *
 * Where memory is not shared absent_share.c stands in for all of them: nothing is ever found.
 * All calls with the lock held (libpvm/lock.h). What a wait of the same thread may be looking at is
 * never freed under it: a handler that interrupts the wait may leave the machine.
 */
#ifndef LIBPVM_PAIRS_H
#define LIBPVM_PAIRS_H

#include "client/client.h"
#include "libpvm/xport.h"

#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* What inline functions and waiting need at a glance. */
struct pairs_glance {
    bool is_open;  /* there is a segment: news may come by memory */
    bool has_work; /* pairs_work() has something to do */
    int bell;      /* eventfd of the own segment; -1 without */
};
extern struct pairs_glance pairs_glance;

/* ---- pairs.c ---- */

/* The callbacks for client_create(). */
struct client_routes pairs_routes(void);
/* The daemon gave this task |index|; 0 = it cannot share. */
void pairs_enrolled(struct client *client, uint32_t index);
/* The link is gone: everything is closed. What is queued and kept stays readable. */
void pairs_leave(void);
/* In the child of a fork: descriptors are closed, everything else is forgotten. */
void pairs_forked(void);
/* A wait that looks at pairs begins, and ends. */
void pairs_watch_begin(void);
void pairs_watch_end(void);

/* ---- attach.c ---- */

/* A control message of the daemon: 1 = it was about shared memory and is dealt with; 0 = not ours;
 * PvmNoMem: the same again later. */
int pairs_control(const struct message *message, struct xport *xport);
/* Asks, answers, wakes, closes what is bad: makes frames, when none waits to be sent. Descriptors
 * may go with the first. */
void pairs_work(struct xport *xport);

/* ---- news.c ---- */

/* Takes in what came, at most |most| messages of each pair. Returns how many, or an error. */
int news_look(int most);
/* The same of |tid|'s pair only; -1 - there is none: look at all. */
int news_look_at(int tid, int most);
/* Whether something is there, in the pair of |tid| or, with -1, in any; or the socket is said to
 * have something. A few reads. */
bool news_exist(int tid);
/* The daemon said that it wrote to the socket. */
bool news_of_socket(void);
/* Everything the daemon published, before what it wrote to the socket. 0 or an error. */
int news_drain_daemon(void);

/* ---- sleeping ---- */

/* Gives back what is done with and says that this task sleeps; then news_exist() is to be asked
 * once more. */
void news_sleep(void);
void news_awake(void);
/* Some tenths of a second went by in sleep: memory is returned to the system, and to its owners.
 * True: call again, as long later. */
bool news_idle(void);
/* Whether news_idle() would have something to do. */
bool news_has_idle_work(void);

#pragma GCC visibility pop

#endif
