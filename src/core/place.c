/* SPDX-License-Identifier: BSD-3-Clause */
/* Where tasks go: see the header. */
#include "core/place.h"

#include <string.h>

const char *place_directory(const char *where)
{
    const char *colon = strchr(where, ':');
    return colon ? colon + 1 : "";
}

static bool is_name(const char *name, const char *where)
{
    size_t length = strcspn(where, ":");
    return strlen(name) == length && memcmp(name, where, length) == 0;
}

/* A host by name goes before an architecture; the name part counts for nothing without a flag. */
static bool is_meant(const struct host *host, uint32_t flags, const char *where, uint32_t own)
{
    if (flags & SPAWN_HOST)
        return is_name(".", where) ? host->info.number == own : is_name(host->info.name, where);
    return flags & SPAWN_ARCH ? is_name(host->info.arch, where) : true;
}

size_t place_choose(const struct host_table *table, uint32_t flags, const char *where, uint32_t own,
                    uint32_t *numbers)
{
    size_t count = 0;
    bool complement = flags & SPAWN_COMPLEMENT;
    HOSTS_EACH(pos, following, table) {
        if (is_meant(HOST_OF(pos), flags, where, own) != complement)
            numbers[count++] = HOST_OF(pos)->info.number;
    }
    return count;
}

size_t place_deal(const uint32_t *numbers, size_t number_count, uint32_t count, uint32_t *next,
                  struct share *shares)
{
    size_t used = MIN_OF(number_count, (size_t)count);
    size_t first = 0;
    if (used == 0)
        return 0;
    while (first < number_count && numbers[first] < *next)
        first++;
    for (size_t i = 0; i < used; i++) {
        uint32_t extra = i < count % used ? 1 : 0;
        shares[i].number = numbers[(first + i) % number_count];
        shares[i].count = (uint32_t)(count / used) + extra;
    }
    *next = shares[used - 1].number + 1;
    return used;
}
