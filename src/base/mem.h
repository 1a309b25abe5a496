/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The only way the pure layers get memory, so that a test can let any allocation fail.
 *
 * All functions return NULL when there is no memory; the caller handles it as an ordinary fault.
 * mem_free(NULL) is fine. Sizes of 0 give a valid pointer.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

void *mem_alloc(size_t size_bytes);
/* Zeroed array; a product that overflows is "no memory". */
void *mem_calloc(size_t count, size_t size_bytes);
void *mem_realloc(void *ptr, size_t size_bytes);
/* Grows the array *|items| (capacity *|capacity|, element |size_bytes|) to hold at least |need|
 * elements, doubling. Returns 0, or -1 without any change. */
int mem_grow(void **items, size_t *capacity, size_t need, size_t size_bytes);
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t length);
void *mem_dup(const void *bytes, size_t size_bytes);
void mem_free(void *ptr);

/* Test hook: let the |nth| allocation from now on (1 = the next one) and, if |repeat|, all later
 * ones fail; 0 switches it off. Each thread has its own counter. */
void mem_fail_at(uint64_t nth, int repeat);

#endif
