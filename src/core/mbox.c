/* SPDX-License-Identifier: BSD-3-Clause */
/* Mailboxes, the replicated state: see the header. Snapshots and lists: core/mbox_state.c. */
#include "core/mbox.h"

#include "base/check.h"
#include "base/mem.h"
#include "core/mbox_state.h"
#include "core/status.h"
#include "core/tid.h"

#include <string.h>

void mboxes_init(struct mboxes *mboxes)
{
    *mboxes = (struct mboxes){0};
    list_init(&mboxes->classes);
    list_init(&mboxes->bodies);
    list_init(&mboxes->waiters);
    list_init(&mboxes->taken);
}

/* ---- bodies ---- */

struct mbox_body *mbox_body_create(struct mboxes *mboxes, uint64_t number, struct wire_bytes bytes)
{
    struct mbox_body *body = mem_alloc(sizeof(*body) + bytes.length);
    if (!body)
        return NULL;
    body->number = number;
    body->references = 1;
    body->length = bytes.length;
    if (bytes.length)
        memcpy(body->bytes, bytes.data, bytes.length);
    list_push_back(&mboxes->bodies, &body->link);
    mboxes->bytes += bytes.length;
    return body;
}

void mbox_body_drop(struct mboxes *mboxes, struct mbox_body *body)
{
    if (!body || --body->references > 0)
        return;
    mboxes->bytes -= body->length;
    list_remove(&body->link);
    mem_free(body);
}

/* ---- classes and entries ---- */

static uint64_t item_bytes(const char *name)
{
    return MBOX_ITEM_BYTES + strlen(name);
}

static struct mbox_class *class_find(const struct mboxes *mboxes, const char *name)
{
    LIST_EACH(pos, following, &mboxes->classes) {
        if (strcmp(MBOX_CLASS_OF(pos)->name, name) == 0)
            return MBOX_CLASS_OF(pos);
    }
    return NULL;
}

struct mbox_class *mbox_class_create(struct mboxes *mboxes, const char *name)
{
    struct mbox_class *class = mem_calloc(1, sizeof(*class));
    if (!class)
        return NULL;
    class->name = mem_strdup(name);
    if (!class->name) {
        mem_free(class);
        return NULL;
    }
    list_push_back(&mboxes->classes, &class->link);
    mboxes->bytes += item_bytes(name);
    return class;
}

static void class_destroy_if_empty(struct mboxes *mboxes, struct mbox_class *class)
{
    if (class->count)
        return;
    mboxes->bytes -= item_bytes(class->name);
    list_remove(&class->link);
    mem_free(class->entries);
    mem_free(class->name);
    mem_free(class);
}

/* Where the first entry with |index| or more is. */
static size_t place_of(const struct mbox_class *class, int32_t index)
{
    size_t low = 0;
    size_t high = class->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (class->entries[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct mbox_entry *entry_find(const struct mbox_class *class, int32_t index, bool or_more)
{
    size_t at = class ? place_of(class, index) : 0;
    if (!class || at == class->count || (!or_more && class->entries[at].index != index))
        return NULL;
    return &class->entries[at];
}

int mbox_entry_insert(struct mboxes *mboxes, struct mbox_class *class,
                      const struct mbox_entry *entry)
{
    if (mem_grow((void **)&class->entries, &class->capacity, class->count + 1,
                 sizeof(*class->entries)) < 0)
        return -1;
    size_t at = place_of(class, entry->index);
    memmove(class->entries + at + 1, class->entries + at,
            (class->count - at) * sizeof(*class->entries));
    class->entries[at] = *entry;
    class->count++;
    mboxes->entry_count++;
    mboxes->bytes += MBOX_ITEM_BYTES;
    return 0;
}

/* The class may still be without entries afterwards. */
static void entry_remove(struct mboxes *mboxes, struct mbox_class *class, struct mbox_entry *entry)
{
    size_t at = (size_t)(entry - class->entries);
    mbox_body_drop(mboxes, entry->body);
    class->count--;
    memmove(class->entries + at, class->entries + at + 1,
            (class->count - at) * sizeof(*class->entries));
    mboxes->entry_count--;
    mboxes->bytes -= MBOX_ITEM_BYTES;
}

/* Who may replace or delete it. What nobody owns, nobody may (QRK-10). */
static bool may_change(const struct mbox_entry *entry, uint32_t tid)
{
    return entry->owner == tid || (entry->flags & MBOX_OVERWRITABLE);
}

/* ---- those who wait and those who took ---- */

void mbox_waiter_destroy(struct mboxes *mboxes, struct mbox_waiter *waiter)
{
    mboxes->bytes -= item_bytes(waiter->name);
    list_remove(&waiter->link);
    mem_free(waiter->name);
    mem_free(waiter);
}

struct mbox_waiter *mbox_waiter_create(struct mboxes *mboxes, const struct mbox_asker *asker,
                                       const char *name, int32_t index, uint32_t flags)
{
    struct mbox_waiter *waiter = mem_calloc(1, sizeof(*waiter));
    if (!waiter)
        return NULL;
    waiter->asker = *asker;
    waiter->index = index;
    waiter->flags = flags;
    waiter->name = mem_strdup(name);
    if (!waiter->name) {
        mem_free(waiter);
        return NULL;
    }
    list_push_back(&mboxes->waiters, &waiter->link);
    mboxes->bytes += item_bytes(name);
    return waiter;
}

struct mbox_taken *mbox_taken_create(struct mboxes *mboxes, uint64_t epoch, uint64_t number,
                                     int32_t status, struct mbox_body *body)
{
    struct mbox_taken *taken = mem_calloc(1, sizeof(*taken));
    if (!taken)
        return NULL;
    taken->epoch = epoch;
    taken->number = number;
    taken->status = status;
    taken->body = body;
    if (body)
        body->references++;
    list_push_back(&mboxes->taken, &taken->link);
    mboxes->bytes += MBOX_ITEM_BYTES;
    return taken;
}

static void taken_destroy(struct mboxes *mboxes, struct mbox_taken *taken)
{
    mbox_body_drop(mboxes, taken->body);
    mboxes->bytes -= MBOX_ITEM_BYTES;
    list_remove(&taken->link);
    mem_free(taken);
}

void mboxes_fini(struct mboxes *mboxes)
{
    LIST_EACH(pos, following, &mboxes->waiters)
        mbox_waiter_destroy(mboxes, MBOX_WAITER_OF(pos));
    LIST_EACH(pos, following, &mboxes->taken)
        taken_destroy(mboxes, MBOX_TAKEN_OF(pos));
    LIST_EACH(pos, following, &mboxes->classes) {
        struct mbox_class *class = MBOX_CLASS_OF(pos);
        while (class->count)
            entry_remove(mboxes, class, &class->entries[class->count - 1]);
        class_destroy_if_empty(mboxes, class);
    }
    CHECK(list_is_empty(&mboxes->bodies) && mboxes->bytes == 0 && mboxes->entry_count == 0);
    mboxes_init(mboxes);
}

const struct mbox_taken *mboxes_taken(const struct mboxes *mboxes, uint64_t epoch, uint64_t number)
{
    LIST_EACH(pos, following, &mboxes->taken) {
        if (MBOX_TAKEN_OF(pos)->epoch == epoch && MBOX_TAKEN_OF(pos)->number == number)
            return MBOX_TAKEN_OF(pos);
    }
    return NULL;
}

bool mboxes_waits(const struct mboxes *mboxes, uint64_t epoch, uint64_t number)
{
    LIST_EACH(pos, following, &mboxes->waiters) {
        const struct mbox_asker *asker = &MBOX_WAITER_OF(pos)->asker;
        if (asker->epoch == epoch && asker->number == number)
            return true;
    }
    return false;
}

void mboxes_confirm(struct mboxes *mboxes, uint64_t epoch, uint64_t number)
{
    LIST_EACH(pos, following, &mboxes->taken) {
        struct mbox_taken *taken = MBOX_TAKEN_OF(pos);
        if (taken->epoch == epoch && taken->number == number)
            taken_destroy(mboxes, taken);
    }
}

/* ---- putting ---- */

/* The first free index from |index| on; -1: there is none. */
static int32_t free_index(const struct mbox_class *class, int32_t index)
{
    for (size_t at = class ? place_of(class, index) : 0;
         class && at < class->count && class->entries[at].index == index; at++) {
        if (index == INT32_MAX)
            return -1;
        index++;
    }
    return index;
}

/* Where a put goes: an index, or an error. */
static int32_t put_place(const struct mbox_class *class, uint32_t tid, int32_t index,
                         uint32_t flags)
{
    int32_t direct = (int32_t)(flags >> MBOX_DIRECT_SHIFT & 0x1fffff);
    if (index >= 0)
        return entry_find(class, index, false) ? STATUS_DENIED : index;
    if (flags & MBOX_MULTI_INSTANCE) {
        int32_t lowest = free_index(class, direct);
        return lowest < 0 ? STATUS_OUT_OF_RES : lowest;
    }
    const struct mbox_entry *entry = entry_find(class, direct, false);
    return entry && !may_change(entry, tid) ? STATUS_DENIED : direct;
}

/* What a put would leave counted. What it replaces is let go first, unless somebody still has to
 * confirm it. */
static bool has_room(const struct mboxes *mboxes, const struct mbox_class *class,
                     const struct mbox_entry *replaced, const char *name, size_t length)
{
    uint64_t bytes = mboxes->bytes + length;
    if (!class)
        bytes += item_bytes(name);
    if (!replaced)
        bytes += MBOX_ITEM_BYTES;
    else if (replaced->body->references == 1)
        bytes -= replaced->body->length;
    return bytes <= MBOX_STORE_BYTES_MAX;
}

/* Gives the new entry to one who waits. Its record becomes one that took, which counts no more than
 * it did, so there is always room. */
static int serve(struct mboxes *mboxes, struct mbox_waiter *waiter, struct mbox_class *class,
                 struct mbox_entry *entry)
{
    const struct mbox_asker *asker = &waiter->asker;
    bool deletes = waiter->flags & MBOX_READ_AND_DELETE;
    bool is_denied = deletes && !may_change(entry, asker->tid);
    int32_t status = is_denied ? STATUS_DENIED : entry->index;
    if (!mbox_taken_create(mboxes, asker->epoch, asker->number, status,
                           is_denied ? NULL : entry->body))
        return -1;
    mbox_waiter_destroy(mboxes, waiter);
    if (deletes && !is_denied)
        entry_remove(mboxes, class, entry);
    return 0;
}

static int serve_waiters(struct mboxes *mboxes, struct mbox_class *class, int32_t index)
{
    LIST_EACH(pos, following, &mboxes->waiters) {
        struct mbox_waiter *waiter = MBOX_WAITER_OF(pos);
        struct mbox_entry *entry = entry_find(class, index, false);
        bool fits = waiter->flags & MBOX_FIRST_AVAIL ? waiter->index <= index
                                                     : waiter->index == index;
        if (!entry)
            break;
        if (fits && strcmp(waiter->name, class->name) == 0 &&
            serve(mboxes, waiter, class, entry) < 0)
            return -1;
    }
    class_destroy_if_empty(mboxes, class);
    return 0;
}

/* Takes over the reference to the body; NULL without memory. */
static struct mbox_class *store(struct mboxes *mboxes, const char *name,
                                const struct mbox_entry *entry)
{
    struct mbox_class *class = class_find(mboxes, name);
    if (!class)
        class = mbox_class_create(mboxes, name);
    struct mbox_entry *replaced = entry_find(class, entry->index, false);
    if (replaced) {
        mbox_body_drop(mboxes, replaced->body);
        *replaced = *entry;
        return class;
    }
    if (class && mbox_entry_insert(mboxes, class, entry) == 0)
        return class;
    mbox_body_drop(mboxes, entry->body);
    return NULL;
}

int mboxes_put(struct mboxes *mboxes, uint32_t tid, const char *name, int32_t index, uint32_t flags,
               struct wire_bytes bytes, int32_t *status)
{
    const struct mbox_class *class = class_find(mboxes, name);
    int32_t place = put_place(class, tid, index, flags);
    *status = place;
    if (!*name || strlen(name) > WIRE_MBOX_NAME_BYTES_MAX || index < -1)
        *status = STATUS_BAD_PARAM;
    else if (place >= 0 && (bytes.length > WIRE_MBOX_BYTES_MAX ||
                            !has_room(mboxes, class, entry_find(class, place, false), name,
                                      bytes.length)))
        *status = STATUS_NO_MEM;
    if (*status < 0)
        return 0;
    struct mbox_entry entry = {.index = place, .owner = tid, .flags = flags};
    entry.body = mbox_body_create(mboxes, ++mboxes->last_body, bytes);
    struct mbox_class *stored = entry.body ? store(mboxes, name, &entry) : NULL;
    return stored ? serve_waiters(mboxes, stored, place) : -1;
}

/* ---- reading and deleting ---- */

static enum mbox_read wait_for(struct mboxes *mboxes, const struct mbox_asker *asker,
                               const char *name, int32_t index, uint32_t flags, int32_t *status)
{
    if (mboxes->bytes + item_bytes(name) > MBOX_STORE_BYTES_MAX) {
        *status = STATUS_NO_MEM;
        return MBOX_FAILED;
    }
    return mbox_waiter_create(mboxes, asker, name, index, flags) ? MBOX_WAITS : MBOX_NO_MEMORY;
}

/* What was read and is deleted stays counted until it is confirmed. */
static enum mbox_read take(struct mboxes *mboxes, const struct mbox_asker *asker,
                           struct mbox_class *class, struct mbox_entry *entry)
{
    if (!mbox_taken_create(mboxes, asker->epoch, asker->number, entry->index, entry->body))
        return MBOX_NO_MEMORY;
    entry_remove(mboxes, class, entry);
    class_destroy_if_empty(mboxes, class);
    return MBOX_TOOK;
}

enum mbox_read mboxes_recv(struct mboxes *mboxes, const struct mbox_asker *asker, const char *name,
                           int32_t index, uint32_t flags, struct wire_bytes *body, int32_t *status)
{
    struct mbox_class *class = class_find(mboxes, name);
    *status = STATUS_BAD_PARAM;
    if (!*name || strlen(name) > WIRE_MBOX_NAME_BYTES_MAX || index < 0)
        return MBOX_FAILED;
    struct mbox_entry *entry = entry_find(class, index, flags & MBOX_FIRST_AVAIL);
    if (!entry && (flags & MBOX_WAIT_FOR_INFO))
        return wait_for(mboxes, asker, name, index, flags, status);
    *status = STATUS_NOT_FOUND;
    if (!entry)
        return MBOX_FAILED;
    *status = STATUS_DENIED;
    if (!(flags & MBOX_READ_AND_DELETE)) {
        *status = entry->index;
        *body = (struct wire_bytes){entry->body->bytes, entry->body->length};
        return MBOX_READ;
    }
    return may_change(entry, asker->tid) ? take(mboxes, asker, class, entry) : MBOX_FAILED;
}

int32_t mboxes_delete(struct mboxes *mboxes, uint32_t tid, const char *name, int32_t index)
{
    struct mbox_class *class = class_find(mboxes, name);
    if (!*name || index < 0)
        return STATUS_BAD_PARAM;
    struct mbox_entry *entry = entry_find(class, index, false);
    if (!entry)
        return STATUS_NOT_FOUND;
    if (!may_change(entry, tid))
        return STATUS_DENIED;
    entry_remove(mboxes, class, entry);
    class_destroy_if_empty(mboxes, class);
    return index;
}

/* ---- ends ---- */

/* Removes the entries of |class| that |goes| says. */
static void entries_sweep(struct mboxes *mboxes, struct mbox_class *class,
                          bool (*goes)(struct mbox_entry *entry, const void *context),
                          const void *context)
{
    for (size_t i = class->count; i-- > 0;) {
        if (goes(&class->entries[i], context))
            entry_remove(mboxes, class, &class->entries[i]);
    }
    class_destroy_if_empty(mboxes, class);
}

struct reset {
    int32_t index;
    const struct wire_u32s *tids;
};

static bool is_reset(struct mbox_entry *entry, const void *context)
{
    const struct reset *reset = context;
    bool is_theirs = entry->owner == 0;
    for (size_t i = 0; i < reset->tids->count; i++)
        is_theirs |= entry->owner == reset->tids->items[i];
    return is_theirs && (entry->flags & MBOX_PERSISTENT) &&
           (reset->index < 0 || reset->index == entry->index);
}

void mboxes_reset(struct mboxes *mboxes, const char *name, int32_t index,
                  const struct wire_u32s *tids)
{
    struct reset reset = {index, tids};
    LIST_EACH(pos, following, &mboxes->classes) {
        struct mbox_class *class = MBOX_CLASS_OF(pos);
        if (!*name || strcmp(class->name, name) == 0)
            entries_sweep(mboxes, class, is_reset, &reset);
    }
}

/* Of which tids it is said: one, or all of a host. */
struct owners {
    uint32_t tid; /* 0 = all of host |number| */
    uint32_t number;
};

static bool is_of(uint32_t tid, const struct owners *owners)
{
    return owners->tid ? tid == owners->tid : tid_host_number(tid) == owners->number;
}

static bool ends_with_owner(struct mbox_entry *entry, const void *context)
{
    if (entry->owner == 0 || !is_of(entry->owner, context))
        return false;
    if (!(entry->flags & MBOX_PERSISTENT))
        return true;
    entry->owner = 0;
    return false;
}

static void owners_ended(struct mboxes *mboxes, const struct owners *owners)
{
    LIST_EACH(pos, following, &mboxes->classes)
        entries_sweep(mboxes, MBOX_CLASS_OF(pos), ends_with_owner, owners);
    LIST_EACH(pos, following, &mboxes->waiters) {
        if (is_of(MBOX_WAITER_OF(pos)->asker.tid, owners))
            mbox_waiter_destroy(mboxes, MBOX_WAITER_OF(pos));
    }
}

void mboxes_task_ended(struct mboxes *mboxes, uint32_t tid)
{
    struct owners owners = {.tid = tid};
    if (tid)
        owners_ended(mboxes, &owners);
}

void mboxes_host_gone(struct mboxes *mboxes, uint32_t number, uint64_t epoch)
{
    struct owners owners = {.number = number};
    owners_ended(mboxes, &owners);
    LIST_EACH(pos, following, &mboxes->taken) {
        if (MBOX_TAKEN_OF(pos)->epoch == epoch)
            taken_destroy(mboxes, MBOX_TAKEN_OF(pos));
    }
}
