/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where tasks go (API-28, API-29): which hosts qualify, and how many tasks each gets.
 */
#ifndef CORE_PLACE_H
#define CORE_PLACE_H

#include "core/host.h"

/* Spawn flags, CST-5. */
enum {
    SPAWN_HOST = 1,
    SPAWN_ARCH = 2,
    SPAWN_DEBUG = 4,
    SPAWN_FRONT = 16,
    SPAWN_COMPLEMENT = 32,
    SPAWN_NO_PARENT = 64
};

struct share {
    uint32_t number; /* of the host */
    uint32_t count;
};

/* Fills |numbers| (room for table->count) with the hosts that |where| and |flags| allow, ascending;
 * "." is |own|. Returns how many. */
size_t place_choose(const struct host_table *table, uint32_t flags, const char *where, uint32_t own,
                    uint32_t *numbers);
/* Deals |count| tasks to |numbers| in contiguous blocks as even as can be, beginning at the first
 * number not below *next; *next moves behind the last. Returns how many shares there are (room for
 * number_count). */
size_t place_deal(const uint32_t *numbers, size_t number_count, uint32_t count, uint32_t *next,
                  struct share *shares);
/* The part of |where| behind the first ':', "" when there is none. */
const char *place_directory(const char *where);

#endif
