/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Real code in every order: two sides run as coroutines in one process, over memory that both see,
 * and change places at marked points (shm/point.h). A story is run again and again, each time in
 * another order, until all orders with up to so many changes were tried; a side that has to wait
 * changes places without being counted. If wished one side dies at a point: it is never resumed.
 *
 * Memory here is in order (a change happens between two steps, not between two stores of another
 * core): what weak memory does is the business of machine.h. Here it is the code that is proved.
 *
 * All memory of base/mem.h comes from one block that is forgotten after each run, so a side may die
 * in the middle of anything; freed memory is overwritten.
 */
#ifndef TESTS_MODEL_ORDERS_H
#define TESTS_MODEL_ORDERS_H

#include <stdbool.h>
#include <stdint.h>

enum { ORDERS_SIDES = 2 };

struct orders_story {
    const char *name;
    void (*begin)(void);              /* makes the world; no changes yet */
    void (*side[ORDERS_SIDES])(void); /* runs to its end */
    void (*end)(void);                /* looks at what is left */
    int changes_max;
    unsigned mortal; /* bit s: side s may die */
};

struct orders_result {
    const char *wrong; /* NULL: all orders are fine */
    uint64_t runs;
    uint64_t deaths;
    uint64_t points_max; /* of a run */
};

/* All orders, until one of them is wrong. */
struct orders_result orders_explore(const struct orders_story *story);
/* Runs the last order again, telling each point on standard output. */
void orders_tell(const struct orders_story *story);

/* ---- for the sides ---- */

int orders_self(void);
/* In begin(): what follows is done as if by |side|. */
void orders_act_as(int side);
/* Goes on when |is_ready|, perhaps never. */
void orders_wait(bool (*is_ready)(void));
bool orders_is_dead(int side);
void orders_point(const char *name);
void orders_check(bool holds, const char *words);
/* Called at every point, before anything changes. */
extern void (*orders_watch)(const char *name);

#endif
