/* SPDX-License-Identifier: BSD-3-Clause */
/* Long runs of items against the same items one by one: both versions of every loop, whatever the
 * alignment. */
#include "client/xdr.h"

#include "tap.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 5000, ITEM_BYTES_MAX = 8, OFFSETS = 3 };

static uint8_t items[(COUNT + 1) * ITEM_BYTES_MAX], back[(COUNT + 1) * ITEM_BYTES_MAX];
static uint8_t at_once[(COUNT + 1) * ITEM_BYTES_MAX], one_by_one[(COUNT + 1) * ITEM_BYTES_MAX];

static const struct {
    const char *name;
    size_t item_bytes;
    size_t wire_bytes;
    xdr_put_f put;
    xdr_get_f get;
} kinds[] = {
    {"short", sizeof(short), 4, xdr_put_short, xdr_get_short},
    {"32 bits", 4, 4, xdr_put_32, xdr_get_32},
    {"64 bits", 8, 8, xdr_put_64, xdr_get_64},
    {"long", sizeof(long), 4, xdr_put_long, xdr_get_long},
    {"unsigned long", sizeof(long), 4, xdr_put_ulong, xdr_get_ulong},
};

/* Values that every kind can hold: the upper half of a long is its sign, or nothing. */
static void fill(size_t kind, size_t offset)
{
    for (size_t i = 0; i < sizeof(items); i++)
        items[i] = (uint8_t)(i * 37 + (i >> 8));
    for (size_t i = 0; i < COUNT; i++) {
        const long with_sign = (int32_t)(uint32_t)(i * 2654435761u);
        const unsigned long without = (uint32_t)(i * 2654435761u);
        if (kinds[kind].put == xdr_put_long)
            memcpy(items + offset + i * sizeof(long), &with_sign, sizeof(long));
        else if (kinds[kind].put == xdr_put_ulong)
            memcpy(items + offset + i * sizeof(long), &without, sizeof(long));
    }
}

static bool run_is_right(size_t kind, size_t offset)
{
    const size_t item_bytes = kinds[kind].item_bytes, wire_bytes = kinds[kind].wire_bytes;
    fill(kind, offset);
    memset(back, 0, sizeof(back));
    if (!kinds[kind].put(at_once + offset, items + offset, COUNT))
        return false;
    for (size_t i = 0; i < COUNT; i++)
        if (!kinds[kind].put(one_by_one + i * wire_bytes, items + offset + i * item_bytes, 1))
            return false;
    kinds[kind].get(back + offset, at_once + offset, COUNT);
    return memcmp(at_once + offset, one_by_one, COUNT * wire_bytes) == 0 &&
           memcmp(back + offset, items + offset, COUNT * item_bytes) == 0;
}

/* In this order: short runs before any long one have not asked the processor. */
static void test_runs(void)
{
    const uint8_t wanted[4] = {1, 2, 3, 4};
    const uint32_t value = 0x01020304;
    uint8_t wire[4];
    OK(xdr_put_32(wire, &value, 1) && memcmp(wire, wanted, 4) == 0, "an item is big-endian");
    for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
        bool right = true;
        for (size_t offset = 0; offset < OFFSETS; offset++)
            right = right && run_is_right(kind, offset);
        printf("# %s\n", kinds[kind].name);
        OK(right, "a long run is the same as its items one by one, and comes back");
    }
    OK(xdr_put_32(wire, &value, 1) && memcmp(wire, wanted, 4) == 0, "a short run afterwards, too");
}

static void test_overflow(void)
{
    static long values[COUNT];
    if (sizeof(long) == 4)
        return;
    OK(xdr_put_long(at_once, values, COUNT), "a run of zeros fits");
    values[COUNT - 1] = (long)INT32_MAX + 1;
    OK(!xdr_put_long(at_once, values, COUNT), "one item at its end that does not is found");
    OK(xdr_put_ulong(at_once, values, COUNT), "unsigned, it fits");
    values[0] = -1;
    OK(!xdr_put_ulong(at_once, values, COUNT), "and a sign does not");
}

int main(void)
{
    TEST(test_runs);
    TEST(test_overflow);
    return tap_done();
}
