/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hash map from a 64-bit key to a pointer, and the same for a pair of keys. Open addressing.
 *
 * The map owns nothing it points to. Iteration follows the order of insertion as long as nothing
 * was removed, and is in any case the same on every machine: no address is ever a key.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_entry {
    uint64_t key;
    uint64_t key2; /* 0 in maps of single keys */
    void *value;   /* never NULL */
};

struct map {
    struct map_entry *entries; /* dense: entries[0..count) */
    size_t count;
    size_t capacity;
    uint32_t *slots; /* index into entries plus one; 0 = free */
    size_t slot_count;
};

void map_init(struct map *map);
/* Frees the map's own memory, not the values. */
void map_fini(struct map *map);
/* The value, or NULL. */
void *map_get(const struct map *map, uint64_t key);
void *map_get2(const struct map *map, uint64_t key, uint64_t key2);
/* Sets or replaces. |value| must not be NULL. Returns 0, or -1 without memory (nothing changed). */
int map_put(struct map *map, uint64_t key, void *value);
int map_put2(struct map *map, uint64_t key, uint64_t key2, void *value);
/* Removes and returns the value, or NULL. The last entry takes the place of the removed one: in a
 * walk over entries by index go backwards if you remove. */
void *map_remove(struct map *map, uint64_t key);
void *map_remove2(struct map *map, uint64_t key, uint64_t key2);

#endif
