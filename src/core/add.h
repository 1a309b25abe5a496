/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Adding hosts, the master's side: for each host of a request a small state machine (resolve,
 * start, welcome, ready), then one command of the log for all that came, then the answer. One
 * request at a time in the whole virtual machine (DMN-8). The new host's side: core/join.h.
 */
#ifndef CORE_ADD_H
#define CORE_ADD_H

#include "core/wait.h"

/* TM_ADDHOSTS here, DM_ADDHOSTS at the master, DM_ADDED at the daemon of who asked. */
void addhosts_request(struct node *node, struct conn *conn, const struct message *message);
void addhosts_message(struct node *node, uint64_t peer, const struct message *message);
void added_message(struct node *node, uint64_t peer, const struct message *message);
/* TM_STARTING: how many hosts are being tried? */
void starting_request(struct node *node, struct conn *conn, const struct message *message);
/* DM_READY. */
void ready_message(struct node *node, uint64_t peer, const struct message *message);

/* The hosts of the hostfile. */
void add_hostfile(struct node *node);
/* Events. */
void add_resolved(struct node *node, const struct event *event);
void add_started(struct node *node, const struct event *event);
void add_peer_down(struct node *node, uint64_t peer);
/* The log went on, here or elsewhere. */
void add_log_applied(struct node *node);
void add_timer(struct node *node, struct timer *timer);
/* The daemon is stopping: nobody is waited for. */
void add_cancel(struct node *node);
void add_fini(struct node *node);

#endif
