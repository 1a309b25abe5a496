/* SPDX-License-Identifier: BSD-3-Clause */
/* Open-addressing hash map over a dense array of entries: see the header. */
#include "base/map.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

enum { MAP_SLOTS_MIN = 16 };

void map_init(struct map *map)
{
    *map = (struct map){0};
}

void map_fini(struct map *map)
{
    mem_free(map->entries);
    mem_free(map->slots);
    map_init(map);
}

static uint64_t map_hash(uint64_t key, uint64_t key2)
{
    uint64_t h = key ^ (key2 * 0x9e3779b97f4a7c15u);
    h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93u;
    h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93u;
    return h ^ (h >> 32);
}

/* The slot that holds the key, or the free slot where it would go. The table is never full. */
static size_t map_find_slot(const struct map *map, uint64_t key, uint64_t key2)
{
    size_t mask = map->slot_count - 1;
    size_t at = (size_t)map_hash(key, key2) & mask;
    while (map->slots[at]) {
        const struct map_entry *entry = &map->entries[map->slots[at] - 1];
        if (entry->key == key && entry->key2 == key2)
            break;
        at = (at + 1) & mask;
    }
    return at;
}

void *map_get2(const struct map *map, uint64_t key, uint64_t key2)
{
    if (map->count == 0)
        return NULL;
    uint32_t slot = map->slots[map_find_slot(map, key, key2)];
    return slot ? map->entries[slot - 1].value : NULL;
}

void *map_get(const struct map *map, uint64_t key)
{
    return map_get2(map, key, 0);
}

static int map_rehash(struct map *map, size_t slot_count)
{
    uint32_t *slots = mem_calloc(slot_count, sizeof(slots[0]));
    if (!slots)
        return -1;
    mem_free(map->slots);
    map->slots = slots;
    map->slot_count = slot_count;
    for (size_t i = 0; i < map->count; i++)
        slots[map_find_slot(map, map->entries[i].key, map->entries[i].key2)] = (uint32_t)(i + 1);
    return 0;
}

int map_put2(struct map *map, uint64_t key, uint64_t key2, void *value)
{
    CHECK(value);
    if ((map->count + 1) * 2 > map->slot_count) {
        if (map_rehash(map, map->slot_count ? map->slot_count * 2 : MAP_SLOTS_MIN) < 0)
            return -1;
    }
    size_t at = map_find_slot(map, key, key2);
    if (map->slots[at]) {
        map->entries[map->slots[at] - 1].value = value;
        return 0;
    }
    if (mem_grow((void **)&map->entries, &map->capacity, map->count + 1,
                 sizeof(map->entries[0])) < 0)
        return -1;
    map->entries[map->count++] = (struct map_entry){key, key2, value};
    map->slots[at] = (uint32_t)map->count;
    return 0;
}

int map_put(struct map *map, uint64_t key, void *value)
{
    return map_put2(map, key, 0, value);
}

/* Closes the gap at |hole| by moving later entries of the same probe run back (Knuth 6.4, R). */
static void map_close_gap(struct map *map, size_t hole)
{
    size_t mask = map->slot_count - 1;
    size_t at = hole;
    map->slots[hole] = 0;
    for (;;) {
        at = (at + 1) & mask;
        if (!map->slots[at])
            return;
        const struct map_entry *entry = &map->entries[map->slots[at] - 1];
        size_t home = (size_t)map_hash(entry->key, entry->key2) & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        map->slots[hole] = map->slots[at];
        map->slots[at] = 0;
        hole = at;
    }
}

void *map_remove2(struct map *map, uint64_t key, uint64_t key2)
{
    if (map->count == 0)
        return NULL;
    size_t slot = map_find_slot(map, key, key2);
    if (!map->slots[slot])
        return NULL;
    size_t index = map->slots[slot] - 1;
    void *value = map->entries[index].value;
    map_close_gap(map, slot);
    size_t last = map->count - 1;
    if (index != last) {
        const struct map_entry *moved = &map->entries[last];
        map->slots[map_find_slot(map, moved->key, moved->key2)] = (uint32_t)(index + 1);
        map->entries[index] = *moved;
    }
    map->count--;
    return value;
}

void *map_remove(struct map *map, uint64_t key)
{
    return map_remove2(map, key, 0);
}
