/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Simulated tasks that say they share memory: TM_ATTACH with descriptors that are only a number,
 * the answers, and the check that nobody hears of an end before the memory is done with. What they
 * send goes by the socket all the same.
 */
#ifndef SIM_ATTACH_H
#define SIM_ATTACH_H

#include "sim/task.h"

/* Asks to share with |tid|, unless it did already or has no index. */
void sim_task_attach(struct sim_task *task, uint32_t tid);
/* True: the frame was TM_PEER or TM_GONE and is dealt with. */
bool sim_task_takes_share(struct sim_task *task, const struct frame *frame);
/* A notice says that |tid| ended: it must not share any more. */
void sim_task_check_gone(struct sim_task *task, uint32_t tid);
/* The descriptors that come with a frame of a task: what a TM_ATTACH says. */
uint32_t sim_attach_fds(struct arena *arena, const struct frame *frame);

#endif
