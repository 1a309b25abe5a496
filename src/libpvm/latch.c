/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The latch: see the header. With futexes as in U. Drepper, "Futexes are tricky" (mutex 3), the owner's
 * number in place of the 1; futex(2).
 */
#include "libpvm/latch.h"

#ifdef PLATFORM_LINUX

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LATCH_WAITED 0x80000000u

void latch_init(struct latch *latch)
{
    atomic_store_explicit(&latch->word, 0, memory_order_relaxed);
}

bool latch_is_of(struct latch *latch, uint32_t owner)
{
    return (atomic_load_explicit(&latch->word, memory_order_relaxed) & ~LATCH_WAITED) == owner;
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
        syscall(SYS_futex, &latch->word, FUTEX_WAIT_PRIVATE, word | LATCH_WAITED, NULL, NULL, 0);
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
        syscall(SYS_futex, &latch->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
        errno = error;
    }
}

#else

void latch_init(struct latch *latch)
{
    pthread_mutex_init(&latch->mutex, NULL);
    atomic_store_explicit(&latch->word, 0, memory_order_relaxed);
}

bool latch_is_of(struct latch *latch, uint32_t owner)
{
    return atomic_load_explicit(&latch->word, memory_order_relaxed) == owner;
}

void latch_take(struct latch *latch, uint32_t owner)
{
    pthread_mutex_lock(&latch->mutex);
    atomic_store_explicit(&latch->word, owner, memory_order_relaxed);
}

void latch_give(struct latch *latch, uint32_t owner)
{
    if (!latch_is_of(latch, owner))
        return;
    atomic_store_explicit(&latch->word, 0, memory_order_relaxed);
    pthread_mutex_unlock(&latch->mutex);
}

#endif
