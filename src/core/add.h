/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Adding hosts, the master's side: for each host of a request a small state machine (resolve,
 * start, welcome, ready), then one command of the log for all that came, which gives them their
 * numbers and is the answer. A master that ends before that leaves nothing behind: the next one is
 * asked again and begins anew. The new host's side: core/join.h.
 *
 * The task that asked gets its answer when all hosts have applied the command (the master says so),
 * or ADD_ANSWER_NS after its own daemon has: whoever hears of a new host from it finds it.
 */
#ifndef CORE_ADD_H
#define CORE_ADD_H

#include "core/wait.h"

/* TM_ADDHOSTS. */
void addhosts_request(struct node *node, struct conn *conn, const struct message *message);
/* DM_ADDHOSTS, at the master. */
void addhosts_work(struct node *node, const struct command_id *id, const struct message *request);
/* TM_STARTING: how many hosts are being tried? */
void starting_request(struct node *node, struct conn *conn, const struct message *message);
/* DM_READY, DM_ADDED. */
void ready_message(struct node *node, uint64_t peer, const struct message *message);
void arrived_message(struct node *node, uint64_t peer, const struct message *message);
void added_message(struct node *node, uint64_t peer, const struct message *message);

/* The hosts of the hostfile. */
void add_hostfile(struct node *node);
/* A failed host comes back: 0 = it is welcomed; else why not, in words at *|why|. */
int32_t add_rejoined(struct node *node, const struct wire_dm_rejoin *request,
                     const struct wire_key *key, const char **why);
/* CMD_HOSTS_ADD was applied: the answer. 0, -1 without memory. */
int added_answer(struct node *node, struct command_origin *origin,
                 const struct wire_cmd_hosts_add *add);

/* Events. */
void add_resolved(struct node *node, const struct event *event);
void add_started(struct node *node, const struct event *event);
void add_token_made(struct node *node, const struct event *event);
void add_peer_down(struct node *node, uint64_t peer);
/* The master's turn, in every step. */
void add_run(struct node *node);
/* This daemon leads no more: what was not proposed ends without a word. */
void add_master_ended(struct node *node);
/* Another term began: what was proposed in those before and is not applied by now is lost. */
void add_term_began(struct node *node);
void add_timer(struct node *node, struct timer *timer);
/* The daemon is stopping: nobody is waited for. */
void add_cancel(struct node *node);
void add_fini(struct node *node);

#endif
