/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions about hosts and tasks: the table, lists of tasks, who lives, what time it is there.
 * Each is answered here, or asked of the daemons that know and gathered (core/wait.h).
 */
#ifndef CORE_INFO_H
#define CORE_INFO_H

#include "core/state.h"

void config_request(struct node *node, struct conn *conn, const struct message *message);
void tasks_request(struct node *node, struct conn *conn, const struct message *message);
void pstat_request(struct node *node, struct conn *conn, const struct message *message);
void mstat_request(struct node *node, struct conn *conn, const struct message *message);
void hostsync_request(struct node *node, struct conn *conn, const struct message *message);
void signal_request(struct node *node, struct conn *conn, const struct message *message);

void tasks_question(struct node *node, uint64_t peer, const struct message *message);
void tasks_answer(struct node *node, uint64_t peer, const struct message *message);
void pstat_question(struct node *node, uint64_t peer, const struct message *message);
void mstat_question(struct node *node, uint64_t peer, const struct message *message);
void status_answer(struct node *node, uint64_t peer, const struct message *message);
void clock_question(struct node *node, uint64_t peer, const struct message *message);
void clock_answer(struct node *node, uint64_t peer, const struct message *message);
void signal_message(struct node *node, uint64_t peer, const struct message *message);

#endif
