/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the steps of a task's life (core/task.h) mean to everybody else, the last one above all:
 * torn messages are called off, then the watchers are told (promise 1), then the tid is given back.
 */
#ifndef CORE_LIFE_H
#define CORE_LIFE_H

#include "core/state.h"

/* A new task. NULL and *status, see task_create(). */
struct task *life_begin(struct node *node, enum task_state state, const char *name,
                        int32_t *status);
/* |happening| came to |task|; when that was its end, the task is gone afterwards. */
void life_happens(struct node *node, struct task *task, enum task_happening happening);
/* The child was never there (its start failed): the task is forgotten without a word. */
void life_undo(struct node *node, struct task *task);
/* Forgets ended tasks of which nothing is under way, beyond GHOSTS_MAX. */
void ghosts_trim(struct node *node);
/* At the end of the node. */
void life_fini(struct node *node);
/* TIMER_LINGER: the process of a task is gone and its socket was silent. */
void life_linger_timer(struct node *node, struct timer *timer);

#endif
