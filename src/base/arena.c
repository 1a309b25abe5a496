/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that is freed all at once: see the header. */
#include "base/arena.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The first block is small: many arenas hold a name or two for a long time. */
enum { ARENA_BLOCK_BYTES_MIN = 240, ARENA_BLOCK_BYTES = 4096 };

struct arena_block {
    struct arena_block *older;
    size_t capacity;
    max_align_t data[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

static void arena_free_blocks(struct arena_block *block)
{
    while (block) {
        struct arena_block *older = block->older;
        mem_free(block);
        block = older;
    }
}

void arena_fini(struct arena *arena)
{
    arena_free_blocks(arena->blocks);
    arena_init(arena);
}

void arena_reset(struct arena *arena)
{
    if (arena->blocks) {
        arena_free_blocks(arena->blocks->older);
        arena->blocks->older = NULL;
    }
    arena->used = 0;
}

static size_t next_capacity(const struct arena *arena)
{
    const size_t doubled = arena->blocks ? 2 * arena->blocks->capacity : ARENA_BLOCK_BYTES_MIN;
    return MIN_OF(doubled, (size_t)ARENA_BLOCK_BYTES);
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
    size_t align = sizeof(max_align_t);
    if (size_bytes > SIZE_MAX / 2)
        return NULL;
    size_t need = (size_bytes + align - 1) / align * align;
    if (!arena->blocks || arena->blocks->capacity - arena->used < need) {
        size_t capacity = MAX_OF(need, next_capacity(arena));
        struct arena_block *block = mem_alloc(sizeof(*block) + capacity);
        if (!block)
            return NULL;
        block->older = arena->blocks;
        block->capacity = capacity;
        arena->blocks = block;
        arena->used = 0;
    }
    void *result = (uint8_t *)arena->blocks->data + arena->used;
    arena->used += need;
    memset(result, 0, size_bytes);
    return result;
}

void *arena_calloc(struct arena *arena, size_t count, size_t size_bytes)
{
    if (size_bytes != 0 && count > SIZE_MAX / size_bytes)
        return NULL;
    return arena_alloc(arena, count * size_bytes);
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    if (copy)
        memcpy(copy, text, length);
    return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_list again;
    va_start(args, format);
    va_copy(again, args);
    int wanted = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = wanted < 0 ? NULL : arena_alloc(arena, (size_t)wanted + 1);
    if (text)
        vsnprintf(text, (size_t)wanted + 1, format, again);
    va_end(again);
    return text;
}
