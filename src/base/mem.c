/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory with a switch for failing: see the header. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static _Thread_local uint64_t fail_countdown;
static _Thread_local int fail_repeat;

static int mem_must_fail(void)
{
    if (fail_countdown == 0)
        return 0;
    if (fail_countdown > 1) {
        fail_countdown--;
        return 0;
    }
    if (!fail_repeat)
        fail_countdown = 0;
    return 1;
}

void mem_fail_at(uint64_t nth, int repeat)
{
    fail_countdown = nth;
    fail_repeat = repeat;
}

void *mem_alloc(size_t size_bytes)
{
    return mem_must_fail() ? NULL : malloc(size_bytes ? size_bytes : 1);
}

void *mem_calloc(size_t count, size_t size_bytes)
{
    if (size_bytes != 0 && count > SIZE_MAX / size_bytes)
        return NULL;
    return mem_must_fail() ? NULL : calloc(count ? count : 1, size_bytes ? size_bytes : 1);
}

void *mem_realloc(void *ptr, size_t size_bytes)
{
    return mem_must_fail() ? NULL : realloc(ptr, size_bytes ? size_bytes : 1);
}

int mem_grow(void **items, size_t *capacity, size_t need, size_t size_bytes)
{
    if (need <= *capacity)
        return 0;
    size_t wanted = *capacity ? *capacity : 8;
    while (wanted < need) {
        if (wanted > SIZE_MAX / 2 / size_bytes)
            return -1;
        wanted *= 2;
    }
    void *grown = mem_realloc(*items, wanted * size_bytes);
    if (!grown)
        return -1;
    *items = grown;
    *capacity = wanted;
    return 0;
}

void *mem_dup(const void *bytes, size_t size_bytes)
{
    void *copy = mem_alloc(size_bytes);
    if (copy && size_bytes)
        memcpy(copy, bytes, size_bytes);
    return copy;
}

char *mem_strndup(const char *text, size_t length)
{
    char *copy = mem_alloc(length + 1);
    if (copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

char *mem_strdup(const char *text)
{
    return mem_strndup(text, strlen(text));
}

void mem_free(void *ptr)
{
    free(ptr);
}
