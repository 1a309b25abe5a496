/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tasks come and leave: TM_ENROL, TM_EXIT, and what a task says of its own output.
 */
#ifndef CORE_ENROL_H
#define CORE_ENROL_H

#include "core/state.h"

void enrol_request(struct node *node, struct conn *conn, const struct message *message);
void exit_request(struct node *node, struct conn *conn, const struct message *message);
void setsinks_request(struct node *node, struct conn *conn, const struct message *message);

#endif
