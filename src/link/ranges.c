/* SPDX-License-Identifier: BSD-3-Clause */
/* Sorted disjoint ranges: see the header. */
#include "link/ranges.h"

#include "base/mem.h"

#include <string.h>

void ranges_init(struct ranges *set)
{
    *set = (struct ranges){0};
}

void ranges_fini(struct ranges *set)
{
    mem_free(set->many);
    ranges_init(set);
}

static struct range *ranges_items(struct ranges *set)
{
    return set->many ? set->many : &set->one;
}

/* Index of the first range whose end is >= |begin| (it touches or lies behind); count if none. */
static uint32_t ranges_find(const struct ranges *set, uint64_t begin)
{
    uint32_t low = 0, high = set->count;
    /* Packet numbers and parts of frames arrive mostly in order: look at the last one first. */
    if (high > 1 && ranges_at(set, high - 2).end < begin)
        low = high - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ranges_at(set, middle).end < begin)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int ranges_reserve(struct ranges *set, uint32_t need)
{
    if (need <= (set->many ? set->capacity : 1u))
        return 0;
    uint32_t capacity = set->many ? set->capacity * 2 : 4;
    struct range *many = mem_realloc(set->many, capacity * sizeof(many[0]));
    if (!many)
        return -1;
    if (!set->many)
        many[0] = set->one;
    set->many = many;
    set->capacity = capacity;
    return 0;
}

static int ranges_insert(struct ranges *set, uint32_t index, struct range range)
{
    if (ranges_reserve(set, set->count + 1) < 0)
        return -1;
    struct range *items = ranges_items(set);
    memmove(items + index + 1, items + index, (set->count - index) * sizeof(items[0]));
    items[index] = range;
    set->count++;
    return 0;
}

static void ranges_erase(struct ranges *set, uint32_t index, uint32_t number)
{
    struct range *items = ranges_items(set);
    memmove(items + index, items + index + number,
            (set->count - index - number) * sizeof(items[0]));
    set->count -= number;
}

int ranges_add(struct ranges *set, uint64_t begin, uint64_t end)
{
    if (begin >= end)
        return 0;
    uint32_t first = ranges_find(set, begin);
    struct range *items = ranges_items(set);
    if (first == set->count || items[first].begin > end)
        return ranges_insert(set, first, (struct range){begin, end});
    uint32_t last = first;
    while (last + 1 < set->count && items[last + 1].begin <= end)
        last++;
    if (begin < items[first].begin)
        items[first].begin = begin;
    if (end < items[last].end)
        end = items[last].end;
    if (end > items[first].end)
        items[first].end = end;
    if (last > first)
        ranges_erase(set, first + 1, last - first);
    return 0;
}

void ranges_cover(struct ranges *set, uint64_t begin, uint64_t end)
{
    if (ranges_add(set, begin, end) == 0)
        return;
    /* No memory for one more range, so there is at least one to join with. */
    uint32_t next = ranges_find(set, begin);
    struct range *items = ranges_items(set);
    if (next < set->count)
        items[next].begin = begin;
    else
        items[set->count - 1].end = end;
}

int ranges_remove(struct ranges *set, uint64_t begin, uint64_t end)
{
    if (begin >= end)
        return 0;
    uint32_t first = ranges_find(set, begin);
    struct range *items = ranges_items(set);
    if (first < set->count && items[first].begin < begin && items[first].end > end) {
        struct range tail = {end, items[first].end};
        if (ranges_insert(set, first + 1, tail) < 0)
            return -1;
        ranges_items(set)[first].end = begin;
        return 0;
    }
    if (first < set->count && items[first].begin < begin) {
        if (items[first].end > begin)
            items[first].end = begin;
        first++;
    }
    uint32_t last = first;
    while (last < set->count && items[last].end <= end)
        last++;
    if (last < set->count && items[last].begin < end)
        items[last].begin = end;
    if (last > first)
        ranges_erase(set, first, last - first);
    return 0;
}

bool ranges_contains(const struct ranges *set, uint64_t begin, uint64_t end)
{
    if (begin >= end)
        return true;
    for (uint32_t i = ranges_find(set, begin); i < set->count; i++) {
        struct range range = ranges_at(set, i);
        if (range.begin <= begin && end <= range.end)
            return true;
        if (range.begin > begin)
            return false;
    }
    return false;
}

void ranges_drop_first(struct ranges *set)
{
    if (set->count)
        ranges_erase(set, 0, 1);
}
