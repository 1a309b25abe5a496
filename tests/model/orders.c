/* SPDX-License-Identifier: BSD-3-Clause */
/* Coroutines that change places in every order: see the header. */
#include "orders.h"

#include "base/check.h"
#include "base/mem.h"
#include "shm/point.h"

#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

enum {
    STACK_BYTES = 256 * 1024,
    MEMORY_BYTES = 16 * 1024 * 1024,
    POINTS_MAX = 20000,
    FREED = 0xdd
};

/* ---- memory that is forgotten after each run ---- */

static alignas(64) uint8_t memory[MEMORY_BYTES];
static size_t memory_used;

void *mem_alloc(size_t size_bytes)
{
    const size_t whole = (size_bytes + 31) & ~(size_t)15;
    CHECK(whole <= MEMORY_BYTES - memory_used);
    uint8_t *block = memory + memory_used;
    memory_used += whole;
    memcpy(block, &size_bytes, sizeof(size_bytes));
    return block + 16;
}

void *mem_calloc(size_t count, size_t size_bytes)
{
    void *block = mem_alloc(count * size_bytes);
    memset(block, 0, count * size_bytes);
    return block;
}

void mem_free(void *ptr)
{
    size_t size_bytes;
    if (!ptr)
        return;
    memcpy(&size_bytes, (uint8_t *)ptr - 16, sizeof(size_bytes));
    memset(ptr, FREED, size_bytes);
}

void *mem_realloc(void *ptr, size_t size_bytes)
{
    size_t old_bytes = 0;
    if (ptr)
        memcpy(&old_bytes, (uint8_t *)ptr - 16, sizeof(old_bytes));
    void *block = mem_alloc(size_bytes);
    if (ptr)
        memcpy(block, ptr, MIN_OF(old_bytes, size_bytes));
    mem_free(ptr);
    return block;
}

int mem_grow(void **items, size_t *capacity, size_t need, size_t size_bytes)
{
    if (need > *capacity) {
        *capacity = MAX_OF(need, *capacity * 2);
        *items = mem_realloc(*items, *capacity * size_bytes);
    }
    return 0;
}

/* ---- one run ---- */

enum decision { GO_ON, CHANGE, DIE };

struct coroutine {
    ucontext_t context;
    bool (*is_ready)(void); /* NULL: runs */
    bool is_done;
    bool is_dead;
};

static const struct orders_story *story;
static struct coroutine sides[ORDERS_SIDES];
static _Alignas(64) uint8_t stacks[ORDERS_SIDES][STACK_BYTES];
static ucontext_t scheduler;
static int self;
static bool is_running; /* points count */
static const char *wrong;
static int changes;
static bool someone_died;

/* What was decided at each point of this run that left a choice, and what else could be. */
static uint8_t decided[POINTS_MAX];
static uint8_t possible[POINTS_MAX]; /* bits of enum decision */
static size_t point;
static size_t replay; /* so many decisions are given */
static bool tells;

void (*orders_watch)(const char *name);

int orders_self(void)
{
    return self;
}

void orders_act_as(int side)
{
    self = side;
}

bool orders_is_dead(int side)
{
    return sides[side].is_dead;
}

void orders_check(bool holds, const char *words)
{
    if (!holds && !wrong)
        wrong = words;
}

static bool can_run(int side)
{
    const struct coroutine *other = &sides[side];
    return !other->is_done && !other->is_dead && (!other->is_ready || other->is_ready());
}

static enum decision decide(void)
{
    uint8_t may = 1 << GO_ON;
    if (changes < story->changes_max && can_run(!self))
        may |= 1 << CHANGE;
    if (!someone_died && (story->mortal >> self & 1))
        may |= 1 << DIE;
    if (may == 1 << GO_ON)
        return GO_ON;
    CHECK(point < POINTS_MAX);
    if (point >= replay)
        decided[point] = GO_ON;
    possible[point] = may;
    return (enum decision)decided[point++];
}

void orders_point(const char *name)
{
    if (!is_running)
        return;
    if (orders_watch)
        orders_watch(name);
    const enum decision decision = wrong ? GO_ON : decide();
    if (tells)
        printf("#   %d %s%s\n", self, name,
               decision == GO_ON    ? ""
               : decision == CHANGE ? ", the other goes on"
                                    : ", DIES");
    if (decision == GO_ON)
        return;
    changes += decision == CHANGE;
    sides[self].is_dead = decision == DIE;
    someone_died |= decision == DIE;
    swapcontext(&sides[self].context, &scheduler);
}

void orders_wait(bool (*is_ready)(void))
{
    if (is_ready())
        return;
    sides[self].is_ready = is_ready;
    swapcontext(&sides[self].context, &scheduler);
    sides[self].is_ready = NULL;
}

static void side_main(void)
{
    story->side[self]();
    sides[self].is_done = true;
    swapcontext(&sides[self].context, &scheduler);
}

static void side_begin(int side)
{
    sides[side].is_ready = NULL;
    sides[side].is_done = sides[side].is_dead = false;
    getcontext(&sides[side].context);
    sides[side].context.uc_stack.ss_sp = stacks[side];
    sides[side].context.uc_stack.ss_size = STACK_BYTES;
    sides[side].context.uc_link = NULL;
    makecontext(&sides[side].context, side_main, 0);
}

static void run(void)
{
    memory_used = 0;
    point = 0;
    changes = 0;
    someone_died = false;
    wrong = NULL;
    is_running = false;
    story->begin();
    for (int i = 0; i < ORDERS_SIDES; i++)
        side_begin(i);
    int next = 0;
    while (!wrong && (can_run(next) || can_run(!next))) {
        self = can_run(next) ? next : !next;
        is_running = true;
        swapcontext(&scheduler, &sides[self].context);
        is_running = false;
        next = !self;
    }
    for (int i = 0; i < ORDERS_SIDES; i++)
        orders_check(sides[i].is_done || sides[i].is_dead, "stuck: a side waits for ever");
    if (!wrong)
        story->end();
}

/* ---- all runs ---- */

/* The next order, depth first: the last point at which something else can still be decided. */
static bool next_order(void)
{
    while (point-- > 0)
        for (uint8_t other = decided[point] + 1; other <= DIE; other++)
            if (possible[point] >> other & 1) {
                decided[point] = other;
                replay = point + 1;
                return true;
            }
    return false;
}

struct orders_result orders_explore(const struct orders_story *of)
{
    struct orders_result result = {0};
    story = of;
    replay = 0;
    tells = false;
    shm_point_hook = orders_point;
    do {
        run();
        result.runs++;
        result.deaths += someone_died;
        result.points_max = MAX_OF(result.points_max, point);
        result.wrong = wrong;
    } while (!wrong && next_order());
    return result;
}

void orders_tell(const struct orders_story *of)
{
    story = of;
    replay = point;
    tells = true;
    run();
    tells = false;
}
