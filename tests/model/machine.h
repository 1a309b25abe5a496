/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A machine on which the protocols of shared memory are tried out in every possible order: a few
 * processes, some shared variables, and a memory that is as bad as real ones are. It is not a
 * simulator of a processor: it allows what the rules of a memory model allow.
 *
 * Memory is one of two:
 *
 * - TSO (x86): each process has a buffer of stores that reach memory later, in order; its own loads
 *   look there first. Fences and read-modify-writes wait for the buffer to be empty.
 * - WEAK (the rules of C11, weaker than ARM): every variable keeps its history; a load may yield
 *   any old value that the process does not know to be older than something it has seen. A release
 *   store passes on what the writer knows, an acquire load takes it over, a full fence meets all
 *   other full fences (the views of Kang et al., "A promising semantics for relaxed-memory
 *   concurrency", POPL 2017, without promises). What promises are for, a plain load that is
 *   finished after a later store, is model_late_load(). A variable that several write is written by
 *   read-modify-writes only: so histories grow at their end only.
 *
 * A program is a function with a switch over |step|: each case does at most one access to shared
 * memory and says where to go on. It is called again for every choice that there is. tests/model
 * explores all of them (explore.h).
 */
#ifndef TESTS_MODEL_MACHINE_H
#define TESTS_MODEL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROCESSES_MAX = 3, VARS_MAX = 16, HISTORY_MAX = 10, BUFFER_MAX = 8, LOCALS_MAX = 12 };
enum memory { TSO, WEAK };
enum order { RELAXED, ORDERED }; /* ORDERED: acquire of a load, release of a store */
enum life { RUNS, ENDED, DEAD };

struct process {
    uint8_t step;
    uint8_t life;
    uint8_t late_var; /* 1 + the variable of a load under way; 0 = none */
    uint8_t late_local;
    uint8_t local[LOCALS_MAX];
};

struct buffer {
    uint8_t count;
    uint8_t var[BUFFER_MAX];
    uint8_t value[BUFFER_MAX];
};

/* For each variable the oldest entry of its history that may still be read. */
struct view {
    uint8_t at[VARS_MAX];
};

struct machine {
    struct process process[PROCESSES_MAX];
    /* TSO */
    uint8_t value[VARS_MAX];
    struct buffer buffer[PROCESSES_MAX];
    /* WEAK */
    uint8_t count[VARS_MAX];
    uint8_t history[VARS_MAX][HISTORY_MAX];
    struct view passed_on[VARS_MAX][HISTORY_MAX]; /* by who reads it */
    struct view knows[PROCESSES_MAX];
    struct view would_know[PROCESSES_MAX]; /* after a fence: relaxed loads have seen it */
    struct view fenced[PROCESSES_MAX];     /* known at the last fence: relaxed stores pass it on */
    struct view fences;
};

/* What a program sees of one step. */
struct step {
    struct machine *machine;
    enum memory memory;
    int vars;
    int processes;
    int self;
    int choice; /* which of the |choices| there turn out to be */
    int choices;
    bool is_blocked;   /* the step cannot happen now */
    const char *wrong; /* what was found to be broken */
};

/* All variables 0 but those of |first|. */
void machine_init(struct machine *machine, enum memory memory, int vars, const uint8_t *first);
/* For hashing and keeping: the bytes that count, at most sizeof(struct machine); and back. */
size_t machine_pack(const struct machine *machine, enum memory memory, int vars, int processes,
                    uint8_t *bytes);
void machine_unpack(struct machine *machine, enum memory memory, int vars, int processes,
                    const uint8_t *bytes);
/* Forgets what nobody can read any more, so that equal states look equal. */
void machine_tidy(struct machine *machine, enum memory memory, int vars, int processes);
/* What happens on its own, for process step->self; blocked when there is nothing. */
void machine_flush(struct step *step);
void machine_finish_load(struct step *step);

/* ---- for programs ---- */

uint8_t model_load(struct step *step, int var, enum order order);
/* A load that the processor may finish later, into |local|; model_ready() before it is used.
 * Release stores and fences wait for it. */
void model_late_load(struct step *step, int var, int local);
void model_ready(struct step *step);
void model_store(struct step *step, int var, uint8_t value, enum order order);
/* Read-modify-write, acquire and release, no more: var = (var & keep) | set. Gives the old one. */
uint8_t model_change(struct step *step, int var, uint8_t keep, uint8_t set);
void model_fence(struct step *step);
/* 0..count-1: any. One of these or one load in a step, not both. */
int model_pick(struct step *step, int count);
void model_wrong(struct step *step, const char *words);
/* |process| is dead, and the kernel has said so: all it wrote can be seen. */
bool model_is_gone(struct step *step, int process);

static inline uint8_t *model_local(struct step *step)
{
    return step->machine->process[step->self].local;
}
static inline void model_go(struct step *step, int to)
{
    step->machine->process[step->self].step = (uint8_t)to;
}
static inline void model_end(struct step *step)
{
    step->machine->process[step->self].life = ENDED;
}

#endif
