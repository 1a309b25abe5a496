/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys of failed hosts. */
#include "core/lost.h"

#include "tap.h"

static struct wire_key key_of(unsigned number)
{
    struct wire_key key = {{(uint8_t)number, (uint8_t)(number >> 8)}};
    return key;
}

static void test_bounded(void)
{
    static struct lost lost;
    for (unsigned i = 1; i <= LOST_MAX + 3; i++) {
        struct wire_key key = key_of(i);
        lost_note(&lost, i, &key);
    }
    EQUAL(lost.count, LOST_MAX, "no more than so many are kept");
    OK(!lost_find(&lost, 3) && lost_find(&lost, 4), "the oldest are forgotten");
    struct wire_key key = key_of(10);
    lost_note(&lost, 1000, &key);
    OK(!lost_find(&lost, 10) && lost_find(&lost, 1000), "a key is of one host, its last");
    lost_forget_key(&lost, &key);
    EQUAL(lost.count, LOST_MAX - 1, "who is back is lost no more");
}

static void test_restore(void)
{
    static struct lost lost;
    static struct wire_lost many[LOST_MAX + 1];
    for (size_t i = 0; i <= LOST_MAX; i++)
        many[i] = (struct wire_lost){.epoch = i + 1, .public_key = key_of((unsigned)i)};
    struct wire_lost_list list = {2, many};
    lost_restore(&lost, &list);
    EQUAL(lost.count, 2, "a list from a snapshot");
    list.count = LOST_MAX + 1;
    lost_restore(&lost, &list);
    EQUAL(lost.count, LOST_MAX, "never more than there is room for");
}

int main(void)
{
    TEST(test_bounded);
    TEST(test_restore);
    return tap_done();
}
