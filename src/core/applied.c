/* SPDX-License-Identifier: BSD-3-Clause */
/* Which requests were applied: see the header. */
#include "core/applied.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

/* A request above the floor. */
struct known {
    uint64_t number;
    uint8_t *answer; /* NULL = none is kept */
    size_t length;
};

struct applied_lane {
    uint64_t floor;
    struct known *known; /* ascending number, fewer than COMMANDS_OPEN_MAX */
    size_t count;
    size_t capacity;
};

struct applied_asker {
    struct list link;
    uint64_t asker;
    struct applied_lane lanes[COMMAND_LANES];
};

#define ASKER_OF(pos) LIST_ENTRY(pos, struct applied_asker, link)

void applied_init(struct applied *applied)
{
    list_init(&applied->askers);
    map_init(&applied->by_asker);
}

static void forget_first(struct applied_lane *lane, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mem_free(lane->known[i].answer);
    lane->count -= count;
    if (count)
        memmove(lane->known, lane->known + count, lane->count * sizeof(*lane->known));
}

static void asker_destroy(struct applied_asker *asker)
{
    for (size_t i = 0; i < COMMAND_LANES; i++) {
        forget_first(&asker->lanes[i], asker->lanes[i].count);
        mem_free(asker->lanes[i].known);
    }
    list_remove(&asker->link);
    mem_free(asker);
}

void applied_fini(struct applied *applied)
{
    LIST_EACH(pos, following, &applied->askers)
        asker_destroy(ASKER_OF(pos));
    map_fini(&applied->by_asker);
    applied_init(applied);
}

static struct applied_lane *lane_of(const struct applied *applied, const struct command_id *id)
{
    struct applied_asker *asker = map_get(&applied->by_asker, id->asker);
    return asker ? &asker->lanes[id->lane] : NULL;
}

static bool can_be(const struct command_id *id)
{
    return id->asker != 0 && id->lane < COMMAND_LANES && id->floor >= 1 &&
           id->number >= id->floor && id->number - id->floor < COMMANDS_OPEN_MAX;
}

/* Where |number| is, or belongs. */
static size_t place_of(const struct applied_lane *lane, uint64_t number)
{
    size_t at = lane->count;
    while (at > 0 && lane->known[at - 1].number >= number)
        at--;
    return at;
}

static struct known *known_find(struct applied_lane *lane, uint64_t number)
{
    size_t at = place_of(lane, number);
    return at < lane->count && lane->known[at].number == number ? &lane->known[at] : NULL;
}

bool applied_knows(const struct applied *applied, const struct command_id *id)
{
    if (!can_be(id))
        return true;
    struct applied_lane *lane = lane_of(applied, id);
    return lane && (id->number < lane->floor || known_find(lane, id->number));
}

static struct applied_asker *asker_add(struct applied *applied, uint64_t id)
{
    struct applied_asker *asker = mem_calloc(1, sizeof(*asker));
    if (!asker)
        return NULL;
    asker->asker = id;
    for (size_t i = 0; i < COMMAND_LANES; i++)
        asker->lanes[i].floor = 1;
    if (map_put(&applied->by_asker, id, asker) < 0) {
        mem_free(asker);
        return NULL;
    }
    list_push_back(&applied->askers, &asker->link);
    return asker;
}

/* Room is always: what is known lies in [floor, floor + COMMANDS_OPEN_MAX), for each number was in
 * that range of its own floor, and floors only rise. */
int applied_note(struct applied *applied, const struct command_id *id)
{
    CHECK(!applied_knows(applied, id));
    if (!lane_of(applied, id) && !asker_add(applied, id->asker))
        return -1;
    struct applied_lane *lane = lane_of(applied, id);
    if (id->floor > lane->floor) {
        lane->floor = id->floor;
        forget_first(lane, place_of(lane, lane->floor));
    }
    CHECK(lane->count < COMMANDS_OPEN_MAX);
    if (mem_grow((void **)&lane->known, &lane->capacity, lane->count + 1, sizeof(*lane->known)) < 0)
        return -1;
    size_t at = place_of(lane, id->number);
    memmove(lane->known + at + 1, lane->known + at, (lane->count - at) * sizeof(*lane->known));
    lane->known[at] = (struct known){.number = id->number};
    lane->count++;
    return 0;
}

int applied_keep_answer(struct applied *applied, const struct command_id *id, const void *answer,
                        size_t length)
{
    struct applied_lane *lane = lane_of(applied, id);
    struct known *known = lane ? known_find(lane, id->number) : NULL;
    CHECK(known && !known->answer);
    known->answer = mem_dup(answer, length);
    known->length = length;
    return known->answer ? 0 : -1;
}

struct wire_bytes applied_answer(const struct applied *applied, const struct command_id *id)
{
    struct applied_lane *lane = lane_of(applied, id);
    const struct known *known = lane ? known_find(lane, id->number) : NULL;
    return known && known->answer ? (struct wire_bytes){known->answer, known->length}
                                  : (struct wire_bytes){NULL, 0};
}

void applied_forget(struct applied *applied, uint64_t id)
{
    struct applied_asker *asker = map_remove(&applied->by_asker, id);
    if (asker)
        asker_destroy(asker);
}

/* ---- snapshots ---- */

static int save_lane(const struct applied_lane *lane, struct arena *arena,
                     struct wire_applied *record)
{
    struct wire_answer *answers = arena_calloc(arena, lane->count, sizeof(*answers));
    if (!answers)
        return -1;
    for (size_t i = 0; i < lane->count; i++) {
        const struct known *known = &lane->known[i];
        answers[i] = (struct wire_answer){known->number, {known->answer, known->length}};
    }
    record->floor = lane->floor;
    record->answers = (struct wire_answer_list){lane->count, answers};
    return 0;
}

int applied_save(const struct applied *applied, struct arena *arena,
                 struct wire_applied_list *askers)
{
    struct wire_applied *records =
        arena_calloc(arena, applied->by_asker.count * COMMAND_LANES, sizeof(*records));
    size_t count = 0;
    if (!records)
        return -1;
    LIST_EACH(pos, following, &applied->askers) {
        for (size_t i = 0; i < COMMAND_LANES; i++, count++) {
            records[count].asker = ASKER_OF(pos)->asker;
            records[count].lane = (uint8_t)i;
            if (save_lane(&ASKER_OF(pos)->lanes[i], arena, &records[count]) < 0)
                return -1;
        }
    }
    *askers = (struct wire_applied_list){count, records};
    return 0;
}

/* Answers are never empty: so no bytes mean that none is kept. */
static int restore_lane(struct applied *applied, const struct wire_applied *record)
{
    struct applied_asker *asker = map_get(&applied->by_asker, record->asker);
    if (!asker)
        asker = asker_add(applied, record->asker);
    if (!asker)
        return -1;
    asker->lanes[record->lane].floor = record->floor;
    for (size_t i = 0; i < record->answers.count; i++) {
        const struct wire_answer *answer = &record->answers.items[i];
        struct command_id id = {record->asker, record->lane, answer->number, record->floor};
        if (applied_knows(applied, &id) || applied_note(applied, &id) < 0)
            return -1;
        if (answer->answer.length && applied_keep_answer(applied, &id, answer->answer.data,
                                                         answer->answer.length) < 0)
            return -1;
    }
    return 0;
}

int applied_restore(struct applied *applied, const struct wire_applied_list *askers)
{
    applied_fini(applied);
    for (size_t i = 0; i < askers->count; i++) {
        const struct wire_applied *record = &askers->items[i];
        if (record->asker == 0 || record->lane >= COMMAND_LANES || record->floor < 1 ||
            restore_lane(applied, record) < 0)
            return -1;
    }
    return 0;
}

uint64_t applied_hash(const struct applied *applied)
{
    uint64_t hash = HASH_BEGIN;
    LIST_EACH(pos, following, &applied->askers) {
        hash = hash_number(hash, ASKER_OF(pos)->asker);
        for (size_t i = 0; i < COMMAND_LANES; i++) {
            const struct applied_lane *lane = &ASKER_OF(pos)->lanes[i];
            hash = hash_number(hash, lane->floor);
            for (size_t k = 0; k < lane->count; k++) {
                hash = hash_number(hash, lane->known[k].number);
                hash = hash_bytes(hash, lane->known[k].answer, lane->known[k].length);
            }
        }
    }
    return hash;
}
