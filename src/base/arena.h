/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that is freed all at once: the strings and arrays of one decoded message, the effects of
 * one step. Pointers are valid until arena_reset() or arena_fini().
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena {
    struct arena_block *blocks;
    size_t used; /* bytes used in the newest block */
};

void arena_init(struct arena *arena);
void arena_fini(struct arena *arena);
/* Forgets everything; keeps the newest block for reuse. */
void arena_reset(struct arena *arena);
/* |size_bytes| bytes aligned for any type, zeroed; NULL without memory. */
void *arena_alloc(struct arena *arena, size_t size_bytes);
void *arena_calloc(struct arena *arena, size_t count, size_t size_bytes);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_format(struct arena *arena, const char *format, ...);

#endif
