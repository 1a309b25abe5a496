/* SPDX-License-Identifier: BSD-3-Clause */
/* XDR runs: see the header. */
#include "client/xdr.h"

#include <limits.h>
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

/* The loops below in two versions, chosen once at load time: the baseline of x86-64 has no
 * instruction that shuffles bytes. Only where the linker of the C library knows such choices. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) &&       \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VECTOR __attribute__((target_clones("avx2", "default")))
#else
#define VECTOR
#endif

/* Items come at any address: the elements of a packed struct, a buffer of bytes. */
#define ITEM_LOAD(type, items, index)                                                              \
    (memcpy(&item, (const uint8_t *)(items) + (index) * sizeof(type), sizeof(type)))

VECTOR bool xdr_put_short(uint8_t *wire, const void *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        short item;
        ITEM_LOAD(short, items, i);
        store_32(wire + 4 * i, (uint32_t)(int32_t)item);
    }
    return true;
}

VECTOR bool xdr_put_32(uint8_t *wire, const void *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t item;
        ITEM_LOAD(uint32_t, items, i);
        store_32(wire + 4 * i, item);
    }
    return true;
}

VECTOR bool xdr_put_64(uint8_t *wire, const void *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t item;
        ITEM_LOAD(uint64_t, items, i);
        item = big_64(item);
        memcpy(wire + 8 * i, &item, sizeof(item));
    }
    return true;
}

/* Any bit that 32 bits lose shows in |lost|: checked once after the run (decision D9). */
VECTOR bool xdr_put_long(uint8_t *wire, const void *items, size_t count)
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

VECTOR bool xdr_put_ulong(uint8_t *wire, const void *items, size_t count)
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

#define ITEM_STORE(type, items, index)                                                             \
    (memcpy((uint8_t *)(items) + (index) * sizeof(type), &item, sizeof(type)))

VECTOR void xdr_get_short(void *items, const uint8_t *wire, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const unsigned short item = (unsigned short)load_32(wire + 4 * i);
        ITEM_STORE(unsigned short, items, i);
    }
}

VECTOR void xdr_get_32(void *items, const uint8_t *wire, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint32_t item = load_32(wire + 4 * i);
        ITEM_STORE(uint32_t, items, i);
    }
}

VECTOR void xdr_get_64(void *items, const uint8_t *wire, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t item;
        memcpy(&item, wire + 8 * i, sizeof(item));
        item = big_64(item);
        ITEM_STORE(uint64_t, items, i);
    }
}

VECTOR void xdr_get_long(void *items, const uint8_t *wire, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const long item = (int32_t)load_32(wire + 4 * i);
        ITEM_STORE(long, items, i);
    }
}

VECTOR void xdr_get_ulong(void *items, const uint8_t *wire, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const unsigned long item = load_32(wire + 4 * i);
        ITEM_STORE(unsigned long, items, i);
    }
}
