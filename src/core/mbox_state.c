/* SPDX-License-Identifier: BSD-3-Clause */
/* Mailboxes to and from a snapshot, as a list for tasks, and as a hash: see core/mbox.h. */
#include "core/mbox_state.h"

#include "base/hash.h"
#include "base/map.h"

#include <string.h>

static size_t list_count(const struct list *head)
{
    size_t count = 0;
    LIST_EACH(pos, following, head)
        count++;
    return count;
}

/* ---- lists for tasks ---- */

/* A star that stands for anything. One with a backslash before it is a star, but for a backslash
 * that begins the part: so does the original. */
static bool is_wild(const char *part, const char *at)
{
    return *at == '*' && !(at - part >= 2 && at[-1] == '\\');
}

/* The end of what begins with |name| as |part| up to |end| says, or NULL. */
static const char *part_matches(const char *part, const char *end, const char *name)
{
    for (const char *at = part; at < end; at++, name++) {
        if (at > part && at[0] == '\\' && at[1] == '*')
            at++;
        if (*name != *at)
            return NULL;
    }
    return name;
}

/* The end of the first such place in |name|, or NULL. */
static const char *part_find(const char *part, const char *end, const char *name)
{
    for (; *name; name++) {
        const char *after = part_matches(part, end, name);
        if (after)
            return after;
    }
    return NULL;
}

bool mbox_pattern_matches(const char *pattern, const char *name)
{
    while (*pattern) {
        const char *end = pattern;
        while (*end && !is_wild(pattern, end))
            end++;
        if (end > pattern)
            name = part_find(pattern, end, name);
        if (!name)
            return false;
        pattern = *end ? end + 1 : end;
    }
    return true;
}

static int list_class(const struct mbox_class *class, struct arena *arena,
                      struct wire_mbox_class *record)
{
    struct wire_mbox_place *places = arena_calloc(arena, class->count, sizeof(*places));
    if (!places)
        return -1;
    for (size_t i = 0; i < class->count; i++) {
        const struct mbox_entry *entry = &class->entries[i];
        places[i] = (struct wire_mbox_place){entry->index, entry->owner, entry->flags};
    }
    record->name = class->name;
    record->places = (struct wire_mbox_place_list){class->count, places};
    return 0;
}

int mboxes_list(const struct mboxes *mboxes, const char *pattern, struct arena *arena,
                struct wire_mbox_class_list *classes)
{
    struct wire_mbox_class *records =
        arena_calloc(arena, list_count(&mboxes->classes), sizeof(*records));
    size_t count = 0;
    if (!records)
        return -1;
    LIST_EACH(pos, following, &mboxes->classes) {
        const struct mbox_class *class = MBOX_CLASS_OF(pos);
        if (mbox_pattern_matches(pattern, class->name) &&
            list_class(class, arena, &records[count++]) < 0)
            return -1;
    }
    *classes = (struct wire_mbox_class_list){count, records};
    return 0;
}

/* ---- to a snapshot ---- */

static int save_bodies(const struct mboxes *mboxes, struct arena *arena,
                       struct wire_mbox_body_list *list)
{
    struct wire_mbox_body *records =
        arena_calloc(arena, list_count(&mboxes->bodies), sizeof(*records));
    if (!records)
        return -1;
    list->items = records;
    LIST_EACH(pos, following, &mboxes->bodies) {
        const struct mbox_body *body = MBOX_BODY_OF(pos);
        records[list->count++] =
            (struct wire_mbox_body){body->number, {body->bytes, body->length}};
    }
    return 0;
}

static int save_class(const struct mbox_class *class, struct arena *arena,
                      struct wire_mbox_box *box)
{
    struct wire_mbox_entry *records = arena_calloc(arena, class->count, sizeof(*records));
    if (!records)
        return -1;
    for (size_t i = 0; i < class->count; i++) {
        const struct mbox_entry *entry = &class->entries[i];
        records[i] = (struct wire_mbox_entry){entry->index, entry->owner, entry->flags,
                                              entry->body->number};
    }
    box->name = class->name;
    box->entries = (struct wire_mbox_entry_list){class->count, records};
    return 0;
}

static int save_classes(const struct mboxes *mboxes, struct arena *arena,
                        struct wire_mbox_box_list *list)
{
    struct wire_mbox_box *records =
        arena_calloc(arena, list_count(&mboxes->classes), sizeof(*records));
    if (!records)
        return -1;
    list->items = records;
    LIST_EACH(pos, following, &mboxes->classes) {
        if (save_class(MBOX_CLASS_OF(pos), arena, &records[list->count++]) < 0)
            return -1;
    }
    return 0;
}

static int save_waiters(const struct mboxes *mboxes, struct arena *arena,
                        struct wire_mbox_waiter_list *list)
{
    struct wire_mbox_waiter *records =
        arena_calloc(arena, list_count(&mboxes->waiters), sizeof(*records));
    if (!records)
        return -1;
    list->items = records;
    LIST_EACH(pos, following, &mboxes->waiters) {
        const struct mbox_waiter *waiter = MBOX_WAITER_OF(pos);
        records[list->count++] = (struct wire_mbox_waiter){
            .asker = waiter->asker.epoch,
            .number = waiter->asker.number,
            .tid = waiter->asker.tid,
            .name = waiter->name,
            .index = waiter->index,
            .flags = waiter->flags};
    }
    return 0;
}

static int save_taken(const struct mboxes *mboxes, struct arena *arena,
                      struct wire_mbox_taken_list *list)
{
    struct wire_mbox_taken *records =
        arena_calloc(arena, list_count(&mboxes->taken), sizeof(*records));
    if (!records)
        return -1;
    list->items = records;
    LIST_EACH(pos, following, &mboxes->taken) {
        const struct mbox_taken *taken = MBOX_TAKEN_OF(pos);
        records[list->count++] = (struct wire_mbox_taken){
            taken->epoch, taken->number, taken->status, taken->body ? taken->body->number : 0};
    }
    return 0;
}

int mboxes_save(const struct mboxes *mboxes, struct arena *arena, struct wire_cmd_state *state)
{
    state->mbox_last_body = mboxes->last_body;
    return save_bodies(mboxes, arena, &state->mbox_bodies) < 0 ||
                   save_classes(mboxes, arena, &state->mboxes) < 0 ||
                   save_waiters(mboxes, arena, &state->mbox_waiters) < 0 ||
                   save_taken(mboxes, arena, &state->mbox_taken) < 0
               ? -1
               : 0;
}

/* ---- from a snapshot ---- */

static int restore_bodies(struct mboxes *mboxes, const struct wire_mbox_body_list *list,
                          struct map *bodies)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct wire_mbox_body *record = &list->items[i];
        if (record->number == 0 || map_get(bodies, record->number))
            return -1;
        struct mbox_body *body = mbox_body_create(mboxes, record->number, record->bytes);
        if (!body)
            return -1;
        if (map_put(bodies, record->number, body) < 0) {
            mbox_body_drop(mboxes, body);
            return -1;
        }
    }
    return 0;
}

static int restore_entry(struct mboxes *mboxes, struct mbox_class *class,
                         const struct wire_mbox_entry *record, const struct map *bodies)
{
    struct mbox_entry entry = {record->index, record->owner, record->flags,
                               map_get(bodies, record->body)};
    bool ascends = class->count == 0 || class->entries[class->count - 1].index < record->index;
    if (!entry.body || record->index < 0 || !ascends ||
        mbox_entry_insert(mboxes, class, &entry) < 0)
        return -1;
    entry.body->references++;
    return 0;
}

static int restore_classes(struct mboxes *mboxes, const struct wire_mbox_box_list *list,
                           const struct map *bodies)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct wire_mbox_box *box = &list->items[i];
        struct mbox_class *class = box->entries.count ? mbox_class_create(mboxes, box->name) : NULL;
        if (!class)
            return -1;
        for (size_t k = 0; k < box->entries.count; k++) {
            if (restore_entry(mboxes, class, &box->entries.items[k], bodies) < 0)
                return -1;
        }
    }
    return 0;
}

static int restore_askers(struct mboxes *mboxes, const struct wire_cmd_state *state,
                          const struct map *bodies)
{
    for (size_t i = 0; i < state->mbox_waiters.count; i++) {
        const struct wire_mbox_waiter *record = &state->mbox_waiters.items[i];
        struct mbox_asker asker = {record->asker, record->number, record->tid};
        if (!mbox_waiter_create(mboxes, &asker, record->name, record->index, record->flags))
            return -1;
    }
    for (size_t i = 0; i < state->mbox_taken.count; i++) {
        const struct wire_mbox_taken *record = &state->mbox_taken.items[i];
        struct mbox_body *body = record->body ? map_get(bodies, record->body) : NULL;
        if ((record->body && !body) || !mbox_taken_create(mboxes, record->asker, record->number,
                                                          record->status, body))
            return -1;
    }
    return 0;
}

/* Each body has a reference of |bodies| while it is built, so that all are let go the same way. */
int mboxes_restore(struct mboxes *mboxes, const struct wire_cmd_state *state)
{
    struct map bodies;
    map_init(&bodies);
    mboxes_fini(mboxes);
    mboxes->last_body = state->mbox_last_body;
    int failed = restore_bodies(mboxes, &state->mbox_bodies, &bodies);
    if (failed == 0)
        failed = restore_classes(mboxes, &state->mboxes, &bodies);
    if (failed == 0)
        failed = restore_askers(mboxes, state, &bodies);
    for (size_t i = 0; i < bodies.count; i++)
        mbox_body_drop(mboxes, bodies.entries[i].value);
    map_fini(&bodies);
    return failed;
}

/* ---- hash ---- */

static uint64_t hash_text(uint64_t hash, const char *text)
{
    return hash_bytes(hash, text, strlen(text) + 1);
}

static uint64_t hash_classes(uint64_t hash, const struct mboxes *mboxes)
{
    LIST_EACH(pos, following, &mboxes->classes) {
        const struct mbox_class *class = MBOX_CLASS_OF(pos);
        hash = hash_text(hash, class->name);
        for (size_t i = 0; i < class->count; i++) {
            const struct mbox_entry *entry = &class->entries[i];
            hash = hash_number(hash, (uint32_t)entry->index);
            hash = hash_number(hash, entry->owner);
            hash = hash_number(hash, entry->flags);
            hash = hash_number(hash, entry->body->number);
        }
    }
    return hash;
}

uint64_t mboxes_hash(const struct mboxes *mboxes)
{
    uint64_t hash = hash_classes(hash_number(HASH_BEGIN, mboxes->last_body), mboxes);
    LIST_EACH(pos, following, &mboxes->bodies) {
        hash = hash_number(hash, MBOX_BODY_OF(pos)->number);
        hash = hash_bytes(hash, MBOX_BODY_OF(pos)->bytes, MBOX_BODY_OF(pos)->length);
    }
    LIST_EACH(pos, following, &mboxes->waiters) {
        const struct mbox_waiter *waiter = MBOX_WAITER_OF(pos);
        hash = hash_number(hash, waiter->asker.epoch);
        hash = hash_number(hash, waiter->asker.number);
        hash = hash_number(hash, waiter->asker.tid);
        hash = hash_text(hash, waiter->name);
        hash = hash_number(hash, (uint32_t)waiter->index);
        hash = hash_number(hash, waiter->flags);
    }
    LIST_EACH(pos, following, &mboxes->taken) {
        const struct mbox_taken *taken = MBOX_TAKEN_OF(pos);
        hash = hash_number(hash, taken->epoch);
        hash = hash_number(hash, taken->number);
        hash = hash_number(hash, (uint32_t)taken->status);
        hash = hash_number(hash, taken->body ? taken->body->number : 0);
    }
    return hash_number(hash, mboxes->bytes);
}
