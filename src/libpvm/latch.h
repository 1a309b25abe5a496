/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lock whose owner is known from the instant it is taken: a signal handler that interrupts the
 * taking can tell whether its thread has it. pthread mutexes write down the owner a few
 * instructions later, and a handler in between would wait for its own thread for ever.
 *
 * Not recursive; the lock round the library (libpvm/lock.h) counts on top of it.
 */
#ifndef LIBPVM_LATCH_H
#define LIBPVM_LATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum { LATCH_OWNER_MAX = INT32_MAX };

struct latch {
    _Atomic uint32_t word; /* 0 = free; else the owner, and the highest bit when waited for */
};

/* Free, whatever it was: also in the child of a fork. */
void latch_init(struct latch *latch);
/* |owner| is 1 to LATCH_OWNER_MAX, another one for each thread. */
void latch_take(struct latch *latch, uint32_t owner);
/* Nothing when it is not |owner|'s: a signal handler of the same thread may have given it. */
void latch_give(struct latch *latch, uint32_t owner);
/* Somebody may sleep until it is given; asked by its owner. Where there is no futex: always. */
bool latch_is_wanted(const struct latch *latch);
/* Asked by |owner| itself: nobody else writes its name. */
bool latch_is_of(struct latch *latch, uint32_t owner);

#pragma GCC visibility pop

#endif
