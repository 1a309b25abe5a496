/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that is freed all at once. */
#include "base/arena.h"

#include "base/mem.h"
#include "tap.h"

int main(void)
{
    struct arena arena;
    arena_init(&arena);
    uint8_t *small = arena_alloc(&arena, 3);
    uint8_t *next = arena_alloc(&arena, 3);
    OK(small && next && ((uintptr_t)next % _Alignof(max_align_t)) == 0, "aligned for anything");
    EQUAL(small[0] | small[2], 0, "and zeroed");
    uint8_t *big = arena_alloc(&arena, 100000);
    OK(big && big[99999] == 0, "larger than a block");
    memset(big, 1, 100000);
    SAME_TEXT(arena_format(&arena, "%d-%s", 7, "x"), "7-x", "formatted text");
    SAME_TEXT(arena_strndup(&arena, "hello", 4), "hell", "part of a text");
    OK(arena_alloc(&arena, 0) != NULL, "nothing is something");
    OK(!arena_calloc(&arena, SIZE_MAX, 16), "a product that overflows is no memory");
    OK(!arena_alloc(&arena, SIZE_MAX), "nor is all there is");
    arena_reset(&arena);
    uint8_t *again = arena_alloc(&arena, 100);
    EQUAL(again[0] | again[99], 0, "zeroed again after a reset");
    mem_fail_at(1, 1);
    OK(!arena_alloc(&arena, 10000000), "no memory is NULL");
    mem_fail_at(0, 0);
    arena_fini(&arena);
    return tap_done();
}
