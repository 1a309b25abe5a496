/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory with a switch for failing. */
#include "base/mem.h"

#include "tap.h"

int main(void)
{
    int *items = NULL;
    size_t capacity = 0;
    mem_fail_at(2, 0);
    void *first = mem_alloc(0);
    OK(first, "the first one is given, also of nothing");
    OK(!mem_calloc(1, 1), "the second fails");
    void *third = mem_strdup("x");
    OK(third, "the third is given again");
    mem_fail_at(1, 1);
    OK(!mem_alloc(1) && !mem_dup("x", 1) && !mem_strndup("x", 1), "all fail when told so");
    EQUAL(mem_grow((void **)&items, &capacity, 1, sizeof(*items)), -1, "growing too");
    mem_fail_at(0, 0);
    EQUAL(mem_grow((void **)&items, &capacity, 100, sizeof(*items)), 0, "until switched off");
    OK(capacity >= 100 && items, "with room for what was asked");
    EQUAL(mem_grow((void **)&items, &capacity, SIZE_MAX, sizeof(*items)), -1, "not for everything");
    OK(!mem_calloc(SIZE_MAX, 2), "a product that overflows is no memory");
    mem_free(first);
    mem_free(third);
    mem_free(items);
    mem_free(NULL);
    return tap_done();
}
