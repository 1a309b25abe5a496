/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the compiler is told about hot paths, and the two bit counts they need. Without GNU C these
 * are the plain expressions; nothing depends on them but speed.
 */
#ifndef SHM_HINTS_H
#define SHM_HINTS_H

#include <stdint.h>

#if defined(__GNUC__)
#define SHM_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define SHM_UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define SHM_PREFETCH_READ(address) __builtin_prefetch((address), 0, 3)
#define SHM_PREFETCH_WRITE(address) __builtin_prefetch((address), 1, 3)
#define SHM_COLD __attribute__((noinline, cold))
#define SHM_NOINLINE __attribute__((noinline))
#else
#define SHM_LIKELY(condition) (condition)
#define SHM_UNLIKELY(condition) (condition)
#define SHM_PREFETCH_READ(address) ((void)(address))
#define SHM_PREFETCH_WRITE(address) ((void)(address))
#define SHM_COLD
#define SHM_NOINLINE
#endif

/* The lowest set bit of |word|, which is not 0. */
static inline int shm_lowest_bit(uint64_t word)
{
#if defined(__GNUC__)
    return __builtin_ctzll(word);
#else
    int bit = 0;
    while (!(word >> bit & 1))
        bit++;
    return bit;
#endif
}

/* How many bits |word| needs; 0 needs none. */
static inline int shm_bit_width(uint64_t word)
{
#if defined(__GNUC__)
    return word ? 64 - __builtin_clzll(word) : 0;
#else
    int width = 0;
    for (; word; word >>= 1)
        width++;
    return width;
#endif
}

#endif
