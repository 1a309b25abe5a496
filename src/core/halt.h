/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of this daemon, in order: its tasks get SIGTERM and a second, then SIGKILL; the master
 * waits for the other hosts; everything is said, then EFFECT_STOP (promise 7, DMN-14).
 */
#ifndef CORE_HALT_H
#define CORE_HALT_H

#include "core/state.h"

/* Begins, with |status| to leave with. Once is enough. */
void halt_begin(struct node *node, int32_t status, const char *why);
/* At the end of every step: is it time to stop? */
void halt_check(struct node *node);
void halt_timer(struct node *node);
/* EFFECT_STOP now. */
void node_stop(struct node *node, int32_t status);

/* TM_HALT, DM_HALT, EVENT_STOP. */
void halt_request(struct node *node, struct conn *conn, const struct message *message);
void halt_message(struct node *node, uint64_t peer, const struct message *message);
void halt_signal(struct node *node, const struct event *event);

#endif
