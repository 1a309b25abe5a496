/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The programs that simulated children run, by file name: what each does when it starts, is
 * enrolled, gets a message, gets an answer. Any callback may be missing.
 */
#ifndef SIM_PROGRAM_H
#define SIM_PROGRAM_H

#include "sim/task.h"

struct sim_program {
    const char *name;
    const char *text;    /* what it does, for docs and usage */
    bool enrols;         /* becomes a task as soon as it starts */
    void (*begin)(struct sim_proc *proc);
    void (*enrolled)(struct sim_task *task);
    void (*message)(struct sim_task *task, const struct sim_received *received);
    void (*notice)(struct sim_task *task, int what, uint32_t subject);
    void (*answer)(struct sim_task *task, const struct sim_answer *answer);
    void (*turn)(struct sim_proc *proc); /* the time asked for by proc->turn has come */
};

enum { SIM_PROGRAMS_MAX = 16 };

/* NULL: there is no such file. A leading directory does not matter. */
const struct sim_program *sim_program_find(const char *file);
/* Position in the table, for counting. */
int sim_program_index(const struct sim_program *program);
/* The program of tasks that a script moves by hand. */
extern const struct sim_program sim_program_puppet;

#endif
