/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory shared with the tasks of this host (docs/datapath.md): the daemon keeps the descriptors of
 * each task, to pass them on, and is itself a peer of those who ask.
 *
 * share.c      descriptors, the daemon's own segment, pairs, sleeping and waking
 * share_in.c   what a task published becomes frames for the core; large bodies stay where they are
 * share_out.c  frames for a task become messages in its pair
 * noshare.c    all of it for platforms without
 *
 * A task that breaks the rules loses its pair, with a line in the log, and keeps its socket.
 */
#ifndef PVMD_SHARE_H
#define PVMD_SHARE_H

#include "pvmd/conn.h"

/* Tasks of this host may share memory at all. */
bool share_is_possible(void);

/* ---- one connection ---- */

/* A TM_ATTACH came with descriptors: tries them, and keeps them for others. How many are good. */
uint32_t share_accept(struct conn *conn);
/* Reads what the task published, as much as one turn allows. True = there is more. */
bool share_turn(struct conn *conn);
/* Nothing that the task published is left; also true when nothing of it will ever be read. */
bool share_is_read(const struct conn *conn);
/* The core wants nothing of that for now. */
bool share_is_paused(const struct conn *conn);
/* Something was written to the task's socket. */
void share_wrote(const struct conn *conn);
/* Takes a data frame that the core sends to the task, when its pair has room. False: it goes by the
 * socket. */
bool share_write(struct conn *conn, const struct effect *effect);
/* The connection is destroyed. */
void share_free(struct conn *conn);
/* Descriptors that go with a frame (EFFECT_CONN_SEND), or NULL. */
struct fds *share_fds(struct daemon *daemon, uint64_t fds_of);

/* ---- all of them ---- */

/* The loop runs: marks those who have news as ready. */
void shares_listen(struct daemon *daemon);
/* The loop is about to sleep. False: there is news, it must not. */
bool shares_sleep(struct daemon *daemon);
/* A process ended: it may have published and not rung. */
void shares_look(struct daemon *daemon);
/* When shares_listen() has to be called at the latest; UINT64_MAX = when something happens. */
uint64_t shares_deadline(const struct daemon *daemon);
void shares_destroy(struct daemon *daemon);

void perform_share_attach(struct daemon *daemon, struct effect *effect);
void perform_share_pause(struct daemon *daemon, struct effect *effect);
void perform_share_wake(struct daemon *daemon, struct effect *effect);
void perform_share_end(struct daemon *daemon, struct effect *effect);

#endif
