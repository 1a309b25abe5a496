/* SPDX-License-Identifier: BSD-3-Clause */
/* XDR runs: see the header. */
#include "client/xdr.h"

#include <limits.h>
#include <stdatomic.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
static inline uint32_t big_32(uint32_t value)
{
    return value;
}
static inline uint64_t big_64(uint64_t value)
{
    return value;
}
#elif defined(__GNUC__)
static inline uint32_t big_32(uint32_t value)
{
    return __builtin_bswap32(value);
}
static inline uint64_t big_64(uint64_t value)
{
    return __builtin_bswap64(value);
}
#else
#error "say here how to swap bytes"
#endif

static inline void store_32(uint8_t *wire, uint32_t value)
{
    value = big_32(value);
    memcpy(wire, &value, sizeof(value));
}

static inline uint32_t load_32(const uint8_t *wire)
{
    uint32_t value;
    memcpy(&value, wire, sizeof(value));
    return big_32(value);
}

/*
 * Each loop exists in two versions, since the baseline of x86-64 has no instruction that shuffles
 * bytes. Which one is chosen when the first long run comes, not when the library is loaded: a
 * question to the processor leaves a virtual machine and comes back (9 us each where this was
 * measured, about seven of them to ask), which is a fifth of the start of a small task.
 */
#if defined(__x86_64__) && defined(__GNUC__)

enum { ASK_ITEMS_MIN = 256 };
enum width { WIDTH_UNKNOWN, WIDTH_BASELINE, WIDTH_AVX2 };
static atomic_int width; /* whoever asks finds the same: threads need no order here */

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

/* Intel's Software Developer's Manual, volume 2, CPUID. */
static struct cpuid cpuid(uint32_t leaf)
{
    struct cpuid answer;
    __asm__ volatile("cpuid"
                     : "=a"(answer.eax), "=b"(answer.ebx), "=c"(answer.ecx), "=d"(answer.edx)
                     : "a"(leaf), "c"(0));
    return answer;
}

/* AVX2 is of use when the processor has it and the system keeps the registers (volume 1, 14.3). */
static bool has_avx2(void)
{
    enum { LEAF_FEATURES = 1, LEAF_MORE = 7 };
    const uint32_t osxsave_avx = 1u << 27 | 1u << 28, avx2 = 1u << 5, xmm_ymm_kept = 6;
    if (cpuid(0).eax < LEAF_MORE || (cpuid(LEAF_FEATURES).ecx & osxsave_avx) != osxsave_avx ||
        !(cpuid(LEAF_MORE).ebx & avx2))
        return false;
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & xmm_ymm_kept) == xmm_ymm_kept;
}

static bool ask(void)
{
    const bool is_wide = has_avx2();
    atomic_store_explicit(&width, is_wide ? WIDTH_AVX2 : WIDTH_BASELINE, memory_order_relaxed);
    return is_wide;
}

static inline bool is_wide(size_t count)
{
    const int known = atomic_load_explicit(&width, memory_order_relaxed);
    return known == WIDTH_AVX2 || (known == WIDTH_UNKNOWN && count >= ASK_ITEMS_MIN && ask());
}

#define LOOP static inline __attribute__((always_inline))
#define WIDE_VERSION(result, call, loop, ...)                                                      \
    static __attribute__((target("avx2"))) result call(__VA_ARGS__)                                \
    {                                                                                              \
        return loop;                                                                               \
    }
#else

static inline bool is_wide(size_t count)
{
    (void)count;
    return false;
}

#define LOOP static inline
#define WIDE_VERSION(result, call, loop, ...)                                                      \
    static result call(__VA_ARGS__)                                                                \
    {                                                                                              \
        return loop;                                                                               \
    }
#endif

#define PUT_VERSIONS(name)                                                                         \
    WIDE_VERSION(bool, wide_put_##name, put_##name(wire, items, count), uint8_t *wire,             \
                 const void *items, size_t count)                                                  \
    bool xdr_put_##name(uint8_t *wire, const void *items, size_t count)                            \
    {                                                                                              \
        return is_wide(count) ? wide_put_##name(wire, items, count)                                \
                              : put_##name(wire, items, count);                                    \
    }

/* ISO C has no `return` of a void call in a void function: the getters return whether, too. */
#define GET_VERSIONS(name)                                                                         \
    WIDE_VERSION(bool, wide_get_##name, get_##name(items, wire, count), void *items,               \
                 const uint8_t *wire, size_t count)                                                \
    void xdr_get_##name(void *items, const uint8_t *wire, size_t count)                            \
    {                                                                                              \
        (void)(is_wide(count) ? wide_get_##name(items, wire, count)                                \
                              : get_##name(items, wire, count));                                   \
    }

/* Items come at any address: the elements of a packed struct, a buffer of bytes. */
#define ITEM_LOAD(type, items, index)                                                              \
    (memcpy(&item, (const uint8_t *)(items) + (index) * sizeof(type), sizeof(type)))

LOOP bool put_short(uint8_t *wire, const void *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        short item;
        ITEM_LOAD(short, items, i);
        store_32(wire + 4 * i, (uint32_t)(int32_t)item);
    }
    return true;
}
PUT_VERSIONS(short)

LOOP bool put_32(uint8_t *wire, const void *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t item;
        ITEM_LOAD(uint32_t, items, i);
        store_32(wire + 4 * i, item);
    }
    return true;
}
PUT_VERSIONS(32)

LOOP bool put_64(uint8_t *wire, const void *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t item;
        ITEM_LOAD(uint64_t, items, i);
        item = big_64(item);
        memcpy(wire + 8 * i, &item, sizeof(item));
    }
    return true;
}
PUT_VERSIONS(64)

/* Any bit that 32 bits lose shows in |lost|: checked once after the run (decision D9). */
LOOP bool put_long(uint8_t *wire, const void *items, size_t count)
{
    unsigned long lost = 0;
    for (size_t i = 0; i < count; i++) {
        long item;
        ITEM_LOAD(long, items, i);
        lost |= (unsigned long)item ^ (unsigned long)(long)(int32_t)(uint32_t)(unsigned long)item;
        store_32(wire + 4 * i, (uint32_t)(unsigned long)item);
    }
    return lost == 0;
}
PUT_VERSIONS(long)

LOOP bool put_ulong(uint8_t *wire, const void *items, size_t count)
{
    unsigned long lost = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned long item;
        ITEM_LOAD(unsigned long, items, i);
        lost |= item ^ (unsigned long)(uint32_t)item;
        store_32(wire + 4 * i, (uint32_t)item);
    }
    return lost == 0;
}
PUT_VERSIONS(ulong)

#define ITEM_STORE(type, items, index)                                                             \
    (memcpy((uint8_t *)(items) + (index) * sizeof(type), &item, sizeof(type)))

LOOP bool get_short(void *items, const uint8_t *wire, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const unsigned short item = (unsigned short)load_32(wire + 4 * i);
        ITEM_STORE(unsigned short, items, i);
    }
    return true;
}
GET_VERSIONS(short)

LOOP bool get_32(void *items, const uint8_t *wire, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint32_t item = load_32(wire + 4 * i);
        ITEM_STORE(uint32_t, items, i);
    }
    return true;
}
GET_VERSIONS(32)

LOOP bool get_64(void *items, const uint8_t *wire, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t item;
        memcpy(&item, wire + 8 * i, sizeof(item));
        item = big_64(item);
        ITEM_STORE(uint64_t, items, i);
    }
    return true;
}
GET_VERSIONS(64)

LOOP bool get_long(void *items, const uint8_t *wire, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const long item = (int32_t)load_32(wire + 4 * i);
        ITEM_STORE(long, items, i);
    }
    return true;
}
GET_VERSIONS(long)

LOOP bool get_ulong(void *items, const uint8_t *wire, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const unsigned long item = load_32(wire + 4 * i);
        ITEM_STORE(unsigned long, items, i);
    }
    return true;
}
GET_VERSIONS(ulong)
