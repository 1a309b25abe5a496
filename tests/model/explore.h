/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every possible run of a protocol: all states that can be reached, breadth first, so that what is
 * found wrong is told by a shortest story.
 *
 * Two things must hold: no step says model_wrong(), and from every state that can be reached a done
 * one can be reached. The second finds the lost wake-up, the deadlock, and the ring that goes round
 * for ever. States are told apart by 128 bits of hash.
 */
#ifndef TESTS_MODEL_EXPLORE_H
#define TESTS_MODEL_EXPLORE_H

#include "machine.h"

#include <stdio.h>

struct protocol {
    int vars;
    int processes;
    const uint8_t *first; /* values of the variables */
    const char *const *process_names;
    const char *const *step_names;
    void (*program[PROCESSES_MAX])(struct step *step);
    void (*init)(struct machine *machine); /* NULL: steps 0, locals 0 */
    bool (*is_done)(const struct machine *machine);
    unsigned mortal; /* bit p: process p may die between any two of its steps */
};

struct finding {
    const char *wrong; /* NULL: everything holds */
    uint64_t states;
    uint64_t transitions;
};

extern const char EXPLORE_NOT_BOUNDED[];

/* Explores; a finding is told as a story on |story| (lines that begin with "#") unless it is NULL.
 * More than |states_max| states are wrong too: EXPLORE_NOT_BOUNDED. */
struct finding explore(const struct protocol *protocol, enum memory memory, uint32_t states_max,
                       FILE *story);

#endif
