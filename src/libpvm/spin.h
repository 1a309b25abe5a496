/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long to spin before sleeping: an estimate from what spinning brought lately. Knows no clock:
 * times are counts of one, given by the caller.
 *
 * A spin that ends in vain halves the budget, one that pays doubles it. When nothing is left, waits
 * sleep at once; those that turn out short are counted, and after some of them one spin is tried.
 * Short is what takes less than SPIN_NEAR_TIMES full budgets: two tasks that both sleep wait for
 * two wake-ups each time, where tasks that spin would wait for none. Each trial that fails doubles
 * how many short waits the next one takes: where more tasks than cores want to run, a sleeper's
 * waits are short just because it sleeps.
 */
#ifndef LIBPVM_SPIN_H
#define LIBPVM_SPIN_H

#include <stdbool.h>
#include <stdint.h>

enum { SPIN_NEAR_FIRST = 4, SPIN_NEAR_MAX = 1024, SPIN_NEAR_TIMES = 4, SPIN_HALVINGS = 5 };

struct spin {
    uint64_t most;   /* the full budget */
    uint64_t budget; /* 0 = sleep at once */
    unsigned near;   /* short waits since the last trial */
    unsigned needed; /* so many make the next one */
    bool is_trial;   /* the budget is a trial's: one failure ends it */
    bool is_fixed;   /* |most| is always the answer */
};

void spin_init(struct spin *spin, uint64_t most, bool is_fixed);
/* The full budget has become another: the clock is better known. */
void spin_scale(struct spin *spin, uint64_t most);
/* For the wait that begins now. */
uint64_t spin_budget(const struct spin *spin);
/* It ended by spinning, after |time|. */
void spin_paid(struct spin *spin, uint64_t time);
/* It was spun in vain. */
void spin_failed(struct spin *spin);
/* It slept; from the beginning, spinning and all, it took |time|. */
void spin_slept(struct spin *spin, uint64_t time);

#endif
