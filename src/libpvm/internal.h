/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of the library's own, in the context TC: output of tasks that pvm_catchout() collects,
 * and the list of siblings that a spawner sends to those it started.
 */
#ifndef LIBPVM_INTERNAL_H
#define LIBPVM_INTERNAL_H

#include "client/client.h"

#include <stdbool.h>

/* Hooks itself into a new client. */
void internal_start(struct client *client);
/* The task has left: siblings and what output was expected are of the past. */
void internal_reset(void);
/* Output of some task is collected here and has not come to its end. */
bool output_is_expected(void);
/* A message about a task's output is the active receive buffer. */
void output_message(struct client *client);
void output_reset(void);
/* |host| is gone: the output of its tasks has ended where it is. */
void output_host_lost(int host);
/* Tells each of |tids| who was started with it. 0 or an error. */
int siblings_tell(const int *tids, int count);

#endif
