/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The latch: see the header. As in U. Drepper, "Futexes are tricky" (mutex 3), with the owner's
 * number in place of the 1; futex(2). Where there is no futex who waits looks again after a
 * moment.
 */
#include "libpvm/latch.h"

#include <errno.h>
#include <time.h>
#ifdef PLATFORM_LINUX
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define LATCH_WAITED 0x80000000u

/* Until the word may have changed from |seen|. */
#ifdef PLATFORM_LINUX
static void word_wait(_Atomic uint32_t *word, uint32_t seen)
{
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void word_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
#else
/* The lock is never held for a wait: it will be free in a moment. */
static void word_wait(_Atomic uint32_t *word, uint32_t seen)
{
    const struct timespec moment = {.tv_nsec = 20000};
    (void)word;
    (void)seen;
    nanosleep(&moment, NULL);
}

static void word_wake(_Atomic uint32_t *word)
{
    (void)word;
}
#endif

void latch_init(struct latch *latch)
{
    atomic_store_explicit(&latch->word, 0, memory_order_relaxed);
}

bool latch_is_of(struct latch *latch, uint32_t owner)
{
    return (atomic_load_explicit(&latch->word, memory_order_relaxed) & ~LATCH_WAITED) == owner;
}

bool latch_is_wanted(const struct latch *latch)
{
#ifdef PLATFORM_LINUX
    return atomic_load_explicit(&latch->word, memory_order_relaxed) & LATCH_WAITED;
#else
    (void)latch;
    return true;
#endif
}

static bool try_take(struct latch *latch, uint32_t word)
{
    uint32_t free_word = 0;
    return atomic_compare_exchange_strong_explicit(&latch->word, &free_word, word,
                                                   memory_order_acquire, memory_order_relaxed);
}

/* Who slept takes it as waited for: others may still sleep. */
static void take_late(struct latch *latch, uint32_t owner)
{
    while (!try_take(latch, owner | LATCH_WAITED)) {
        uint32_t word = atomic_load_explicit(&latch->word, memory_order_relaxed);
        if (word == 0)
            continue;
        if (!(word & LATCH_WAITED) &&
            !atomic_compare_exchange_strong_explicit(&latch->word, &word, word | LATCH_WAITED,
                                                     memory_order_relaxed, memory_order_relaxed))
            continue;
        word_wait(&latch->word, word | LATCH_WAITED);
    }
}

void latch_take(struct latch *latch, uint32_t owner)
{
    if (try_take(latch, owner))
        return;
    const int error = errno;
    take_late(latch, owner);
    errno = error;
}

void latch_give(struct latch *latch, uint32_t owner)
{
    uint32_t word = atomic_load_explicit(&latch->word, memory_order_relaxed);
    do
        if ((word & ~LATCH_WAITED) != owner)
            return;
    while (!atomic_compare_exchange_weak_explicit(&latch->word, &word, 0, memory_order_release,
                                                  memory_order_relaxed));
    if (word & LATCH_WAITED) {
        const int error = errno;
        word_wake(&latch->word);
        errno = error;
    }
}
