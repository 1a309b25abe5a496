/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mailboxes as a state: the rules one by one, then random commands against a model so simple that
 * it can be read (an unordered table, looked through each time), through snapshots too.
 */
#include "core/mbox.h"

#include "base/mem.h"
#include "base/rng.h"
#include "core/status.h"
#include "tap.h"

#include <stdlib.h>

static int32_t put(struct mboxes *mboxes, uint32_t tid, const char *name, uint32_t flags,
                   const char *text)
{
    int32_t status = -1000;
    struct wire_bytes bytes = {(const uint8_t *)text, strlen(text)};
    if (mboxes_put(mboxes, tid, name, -1, flags, bytes, &status) < 0)
        return -2000;
    return status;
}

static struct mbox_asker asker_of(uint32_t tid, uint64_t number)
{
    return (struct mbox_asker){100 + (tid >> 18), number, tid};
}

/* The text found, "" when it waits, or the code. */
static const char *recv_text(struct mboxes *mboxes, uint32_t tid, uint64_t number, const char *name,
                             int32_t index, uint32_t flags)
{
    static char text[64];
    struct wire_bytes body = {0};
    int32_t status = 0;
    struct mbox_asker asker = asker_of(tid, number);
    switch (mboxes_recv(mboxes, &asker, name, index, flags, &body, &status)) {
    case MBOX_READ:
        snprintf(text, sizeof(text), "%.*s", (int)body.length, (const char *)body.data);
        return text;
    case MBOX_TOOK: {
        const struct mbox_taken *taken = mboxes_taken(mboxes, asker.epoch, number);
        snprintf(text, sizeof(text), "%.*s", (int)taken->body->length, taken->body->bytes);
        return text;
    }
    case MBOX_WAITS:
        return "";
    default:
        snprintf(text, sizeof(text), "%d", (int)status);
        return text;
    }
}

enum { ALICE = 1 << 18 | 1, BOB = 1 << 18 | 2, CAROL = 2 << 18 | 1 };

static void test_patterns(void)
{
    static const char *const names[] = {"abc", "st*r",  "*lead",  "trail*", "back\\sl", "a*b*c",
                                        "x",   "aXbXc", "abcabc", "**",     "\\*"};
    static const struct {
        const char *pattern;
        const char *matches; /* a digit or letter for each name: its place above, hexadecimal */
    } rows[] = {
        {"abc", "08"}, {"a*c", "04578"}, {"t\\*", "1"}, {"\\*r", ""}, {"\\*", "4a"},
        {"l\\*", "3"}, {"k\\s", "4"}, {"k\\\\s", ""}, {"\\", "4a"}, {"\\\\", ""},
        {"a*b*c", "0578"}, {"a\\*b", "5"}, {"**", "0123456789a"}, {"*a*", "0234578"},
        {"a*X", "7"}, {"ab*ab", "8"}, {"b*b", "8"}, {"c*a", "8"}, {"X*X", "7"}, {"bca", "8"},
        {"", "0123456789a"}, {"*", "0123456789a"}, {"t\\*r*", "1"}, {"s*r*", "1"}, {"* ", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char found[16] = "";
        for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
            if (mbox_pattern_matches(rows[i].pattern, names[k]))
                snprintf(found + strlen(found), 2, "%x", (unsigned)k);
        }
        SAME_TEXT(found, rows[i].matches, rows[i].pattern);
    }
}

static void test_owners_and_flags(void)
{
    struct mboxes m;
    mboxes_init(&m);
    EQUAL(put(&m, ALICE, "a", 0, "1"), 0, "the first stands at 0");
    EQUAL(put(&m, BOB, "a", 0, "2"), STATUS_DENIED, "nobody else may replace it");
    EQUAL(put(&m, ALICE, "a", MBOX_OVERWRITABLE, "3"), 0, "its owner may, with other flags");
    EQUAL(put(&m, BOB, "a", 0, "4"), 0, "then everybody may, and it is theirs");
    EQUAL(put(&m, ALICE, "a", 0, "5"), STATUS_DENIED, "alone");
    EQUAL(put(&m, ALICE, "a", MBOX_MULTI_INSTANCE, "6"), 1, "instances take what is free");
    EQUAL(put(&m, ALICE, "a", MBOX_MULTI_INSTANCE | 5 << MBOX_DIRECT_SHIFT, "7"), 5, "from there");
    EQUAL(put(&m, ALICE, "a", MBOX_MULTI_INSTANCE | 5 << MBOX_DIRECT_SHIFT, "8"), 6, "upwards");
    EQUAL(put(&m, ALICE, "", 0, "9"), STATUS_BAD_PARAM, "a class has a name");
    SAME_TEXT(recv_text(&m, CAROL, 1, "a", 0, 0), "4", "everybody may read");
    SAME_TEXT(recv_text(&m, CAROL, 1, "a", 2, 0), "-32", "what is there");
    SAME_TEXT(recv_text(&m, CAROL, 1, "a", 2, MBOX_FIRST_AVAIL), "7", "or the next");
    SAME_TEXT(recv_text(&m, CAROL, 1, "a", -1, 0), "-2", "no index below 0");
    SAME_TEXT(recv_text(&m, CAROL, 1, "a", 0, MBOX_READ_AND_DELETE), "-8", "not to take it");
    SAME_TEXT(recv_text(&m, BOB, 2, "a", 0, MBOX_READ_AND_DELETE), "4", "the owner takes it");
    EQUAL(mboxes_delete(&m, ALICE, "a", 0), STATUS_NOT_FOUND, "it is gone");
    EQUAL(mboxes_delete(&m, BOB, "a", 1), STATUS_DENIED, "deleting is for owners");
    EQUAL(mboxes_delete(&m, ALICE, "a", 1), 1, "and says the index");
    uint64_t before = m.bytes;
    mboxes_confirm(&m, 101, 2);
    OK(m.bytes < before && !mboxes_taken(&m, 101, 2), "what was taken is kept until confirmed");
    mboxes_fini(&m);
}

static void test_insert(void)
{
    struct mboxes m;
    int32_t status;
    struct wire_bytes bytes = {(const uint8_t *)"x", 1};
    mboxes_init(&m);
    mboxes_put(&m, ALICE, "i", 7, 3, bytes, &status);
    EQUAL(status, 7, "exactly there");
    mboxes_put(&m, ALICE, "i", 7, 3, bytes, &status);
    EQUAL(status, STATUS_DENIED, "once, for its owner too");
    mboxes_put(&m, ALICE, "i", INT32_MAX, 3, bytes, &status);
    EQUAL(status, INT32_MAX, "up to the last index");
    mboxes_put(&m, ALICE, "i", -2, 3, bytes, &status);
    EQUAL(status, STATUS_BAD_PARAM, "no other below 0 than -1");
    mboxes_fini(&m);
}

static void test_waiting(void)
{
    struct mboxes m;
    mboxes_init(&m);
    SAME_TEXT(recv_text(&m, ALICE, 1, "w", 3, MBOX_WAIT_FOR_INFO), "", "waits for index 3");
    SAME_TEXT(recv_text(&m, BOB, 2, "w", 0, MBOX_WAIT_FOR_INFO | MBOX_FIRST_AVAIL), "", "for any");
    SAME_TEXT(recv_text(&m, CAROL, 3, "w", 5, MBOX_WAIT_FOR_INFO | MBOX_READ_AND_DELETE), "",
              "to take 5");
    put(&m, ALICE, "v", 5 << MBOX_DIRECT_SHIFT, "other");
    OK(!m.taken.next->next || list_is_empty(&m.taken), "another class is nothing");
    put(&m, ALICE, "w", 4 << MBOX_DIRECT_SHIFT, "four");
    OK(mboxes_waits(&m, 101, 1) && !mboxes_waits(&m, 101, 2), "the second has what it wants");
    EQUAL(mboxes_taken(&m, 101, 2)->status, 4, "and knows where it was");
    put(&m, ALICE, "w", 5 << MBOX_DIRECT_SHIFT, "mine");
    EQUAL(mboxes_taken(&m, 102, 3)->status, STATUS_DENIED, "a taker who may not is told so");
    mboxes_task_ended(&m, ALICE);
    OK(!mboxes_waits(&m, 101, 1), "who ended waits for nothing");
    EQUAL(m.entry_count, 0, "its entries went with it");
    EQUAL(put(&m, BOB, "w", 3 << MBOX_DIRECT_SHIFT, "late"), 3, "nobody is served");
    mboxes_fini(&m);
}

static void test_order_of_takers(void)
{
    struct mboxes m;
    mboxes_init(&m);
    recv_text(&m, BOB, 1, "w", 0, MBOX_WAIT_FOR_INFO);
    recv_text(&m, CAROL, 2, "w", 0, MBOX_WAIT_FOR_INFO | MBOX_READ_AND_DELETE);
    recv_text(&m, BOB, 3, "w", 0, MBOX_WAIT_FOR_INFO);
    EQUAL(put(&m, ALICE, "w", MBOX_OVERWRITABLE, "one"), 0, "one entry, three who wait");
    OK(mboxes_taken(&m, 101, 1) && mboxes_taken(&m, 102, 2), "those up to the one who takes it");
    OK(mboxes_waits(&m, 101, 3), "the one behind goes on waiting");
    OK(mboxes_taken(&m, 101, 1)->body == mboxes_taken(&m, 102, 2)->body, "one body for both");
    EQUAL(m.entry_count, 0, "the class is empty");
    EQUAL(list_is_empty(&m.classes), 1, "and gone");
    mboxes_host_gone(&m, 2, 102);
    OK(!mboxes_taken(&m, 102, 2) && mboxes_taken(&m, 101, 1), "who is gone confirms nothing");
    mboxes_fini(&m);
}

static void test_ends(void)
{
    struct mboxes m;
    mboxes_init(&m);
    put(&m, ALICE, "p", MBOX_PERSISTENT, "1");
    put(&m, ALICE, "q", MBOX_PERSISTENT | MBOX_OVERWRITABLE, "2");
    put(&m, BOB, "r", MBOX_PERSISTENT | MBOX_MULTI_INSTANCE, "3");
    put(&m, CAROL, "r", MBOX_PERSISTENT | MBOX_MULTI_INSTANCE, "4");
    mboxes_task_ended(&m, ALICE);
    EQUAL(m.entry_count, 4, "what is persistent stays");
    EQUAL(put(&m, ALICE, "p", 0, "5"), STATUS_DENIED, "and belongs to nobody, not to its tid");
    EQUAL(put(&m, BOB, "q", 0, "5"), 0, "unless everybody may have it");
    uint32_t tids[] = {BOB};
    struct wire_u32s killed = {1, tids};
    struct wire_u32s nobody = {0, NULL};
    mboxes_reset(&m, "r", -1, &nobody);
    EQUAL(m.entry_count, 4, "a reset leaves what is owned");
    mboxes_reset(&m, "r", 1, &killed);
    EQUAL(m.entry_count, 4, "and other indices");
    mboxes_reset(&m, "r", -1, &killed);
    EQUAL(m.entry_count, 3, "but not of those it ends");
    mboxes_reset(&m, "", -1, &nobody);
    EQUAL(m.entry_count, 2, "nor of nobody");
    mboxes_host_gone(&m, 2, 102);
    mboxes_reset(&m, "", -1, &nobody);
    EQUAL(m.entry_count, 1, "the end of a host is the end of its tasks");
    mboxes_fini(&m);
}

static void test_limits(void)
{
    struct mboxes m;
    int32_t status = 0;
    uint8_t *bytes = mem_calloc(1, WIRE_MBOX_BYTES_MAX + 1);
    struct wire_bytes full = {bytes, WIRE_MBOX_BYTES_MAX};
    struct wire_bytes over = {bytes, WIRE_MBOX_BYTES_MAX + 1};
    mboxes_init(&m);
    mboxes_put(&m, ALICE, "big", -1, 0, over, &status);
    EQUAL(status, STATUS_NO_MEM, "a body too long");
    for (int i = 0; i < 3; i++)
        mboxes_put(&m, ALICE, "big", -1, MBOX_MULTI_INSTANCE, full, &status);
    EQUAL(status, 2, "three of the longest fit");
    mboxes_put(&m, ALICE, "big", -1, MBOX_MULTI_INSTANCE, full, &status);
    EQUAL(status, STATUS_NO_MEM, "with names and places a fourth is too much");
    mboxes_put(&m, ALICE, "big", -1, 2 << MBOX_DIRECT_SHIFT, full, &status);
    EQUAL(status, 2, "to replace one is not");
    mboxes_put(&m, BOB, "big", -1, 2 << MBOX_DIRECT_SHIFT, over, &status);
    EQUAL(status, STATUS_DENIED, "who may not is told that first");
    recv_text(&m, ALICE, 1, "big", 2, MBOX_READ_AND_DELETE);
    mboxes_put(&m, ALICE, "big", -1, MBOX_MULTI_INSTANCE, full, &status);
    EQUAL(status, STATUS_NO_MEM, "what was taken counts");
    mboxes_confirm(&m, 101, 1);
    mboxes_put(&m, ALICE, "big", -1, MBOX_MULTI_INSTANCE, full, &status);
    EQUAL(status, 2, "until it is confirmed");
    mboxes_fini(&m);
    mem_free(bytes);
}

/* ---- the model ---- */

enum { MODEL_MAX = 4096, TIDS = 6, CLASSES = 3, MODEL_INDEX_MAX = 6 };

struct model_entry {
    int class;
    uint64_t born; /* of its class */
    int32_t index;
    uint32_t owner;
    uint32_t flags;
    uint32_t value;
    bool is_there;
};

struct model_wait {
    uint64_t number;
    uint32_t tid;
    int class;
    int32_t index;
    uint32_t flags;
    bool is_waiting;
    int32_t status; /* when served */
    uint32_t value;
    bool is_kept;
};

struct model {
    struct model_entry entries[MODEL_MAX];
    size_t entry_count;
    struct model_wait waits[MODEL_MAX];
    size_t wait_count;
    uint64_t clock;
};

static const char *const class_names[CLASSES] = {"one", "two", "three"};

static uint32_t model_tid(uint64_t i)
{
    return (uint32_t)(1 + i % 2) << 18 | (uint32_t)(1 + i % 3);
}

/* The entry with the lowest index in [from, to]. */
static struct model_entry *model_find(struct model *model, int class, int32_t from, int32_t to)
{
    struct model_entry *best = NULL;
    for (size_t i = 0; i < model->entry_count; i++) {
        struct model_entry *entry = &model->entries[i];
        if (entry->is_there && entry->class == class && entry->index >= from &&
            entry->index <= to && (!best || entry->index < best->index))
            best = entry;
    }
    return best;
}

static bool model_may(const struct model_entry *entry, uint32_t tid)
{
    return entry->owner == tid || (entry->flags & MBOX_OVERWRITABLE);
}

static int32_t model_delete(struct model *model, uint32_t tid, int class, int32_t index)
{
    struct model_entry *entry = model_find(model, class, index, index);
    if (!entry)
        return STATUS_NOT_FOUND;
    if (!model_may(entry, tid))
        return STATUS_DENIED;
    entry->is_there = false;
    return index;
}

static void model_serve(struct model *model, struct model_wait *wait)
{
    int32_t to = wait->flags & MBOX_FIRST_AVAIL ? INT32_MAX : wait->index;
    struct model_entry *entry = model_find(model, wait->class, wait->index, to);
    if (!wait->is_waiting || !entry)
        return;
    wait->is_waiting = false;
    wait->is_kept = true;
    wait->status = entry->index;
    wait->value = entry->value;
    if (!(wait->flags & MBOX_READ_AND_DELETE))
        return;
    if (model_may(entry, wait->tid))
        entry->is_there = false;
    else
        wait->status = STATUS_DENIED;
}

static int32_t model_put(struct model *model, uint32_t tid, int class, int32_t index,
                         uint32_t flags, uint32_t value)
{
    int32_t at = index >= 0 ? index : (int32_t)(flags >> MBOX_DIRECT_SHIFT);
    const struct model_entry *oldest = NULL;
    while (index < 0 && (flags & MBOX_MULTI_INSTANCE) && model_find(model, class, at, at))
        at++;
    struct model_entry *entry = model_find(model, class, at, at);
    if (entry && (index >= 0 || !model_may(entry, tid)))
        return STATUS_DENIED;
    for (size_t i = 0; i < model->entry_count; i++) {
        if (model->entries[i].is_there && model->entries[i].class == class)
            oldest = &model->entries[i];
    }
    uint64_t born = oldest ? oldest->born : ++model->clock;
    if (!entry)
        entry = &model->entries[model->entry_count++];
    *entry = (struct model_entry){class, born, at, tid, flags, value, true};
    for (size_t i = 0; i < model->wait_count; i++)
        model_serve(model, &model->waits[i]);
    return at;
}

static void model_ended(struct model *model, uint32_t tid)
{
    for (size_t i = 0; i < model->entry_count; i++) {
        struct model_entry *entry = &model->entries[i];
        if (entry->owner != tid)
            continue;
        entry->is_there &= (entry->flags & MBOX_PERSISTENT) != 0;
        entry->owner = 0;
    }
    for (size_t i = 0; i < model->wait_count; i++)
        model->waits[i].is_waiting &= model->waits[i].tid != tid;
}

/* ---- both at once ---- */

struct both {
    struct mboxes mboxes;
    struct model model;
    struct rng rng;
    uint64_t number;
    uint32_t value;
    int differences;
};

static void differ(struct both *both, const char *what)
{
    if (both->differences++ < 5)
        printf("# differ: %s\n", what);
}

static uint64_t draw(struct both *both, uint64_t below)
{
    return rng_below(&both->rng, below);
}

static void step_put(struct both *both, uint32_t tid, int class)
{
    uint32_t flags = (uint32_t)draw(both, 8) | (uint32_t)draw(both, 3) << MBOX_DIRECT_SHIFT;
    int32_t index = draw(both, 4) ? -1 : (int32_t)draw(both, MODEL_INDEX_MAX);
    uint32_t value = ++both->value;
    struct wire_bytes bytes = {(const uint8_t *)&value, sizeof(value)};
    int32_t status = -1000;
    mboxes_put(&both->mboxes, tid, class_names[class], index, flags, bytes, &status);
    if (status != model_put(&both->model, tid, class, index, flags, value))
        differ(both, "a put");
}

static uint32_t value_of(struct wire_bytes bytes)
{
    uint32_t value = 0;
    if (bytes.length == sizeof(value))
        memcpy(&value, bytes.data, sizeof(value));
    return value;
}

/* The model's read is a wait that may be served at once. */
static void step_recv(struct both *both, uint32_t tid, int class)
{
    static const uint32_t kinds[] = {0, MBOX_FIRST_AVAIL, MBOX_READ_AND_DELETE,
                                     MBOX_FIRST_AVAIL | MBOX_READ_AND_DELETE};
    uint32_t flags = kinds[draw(both, 4)] | (draw(both, 2) ? MBOX_WAIT_FOR_INFO : 0u);
    struct mbox_asker asker = asker_of(tid, ++both->number);
    struct wire_bytes body = {0};
    int32_t status = 0;
    int32_t index = (int32_t)draw(both, MODEL_INDEX_MAX);
    struct model_wait *wait = &both->model.waits[both->model.wait_count++];
    *wait = (struct model_wait){both->number, tid, class, index, flags, true, 0, 0, false};
    enum mbox_read read = mboxes_recv(&both->mboxes, &asker, class_names[class], index, flags,
                                      &body, &status);
    model_serve(&both->model, wait);
    if (wait->is_waiting && !(flags & MBOX_WAIT_FOR_INFO)) {
        wait->is_waiting = false;
        if (read != MBOX_FAILED || status != STATUS_NOT_FOUND)
            differ(both, "nothing to read");
    } else if (wait->is_waiting) {
        if (read != MBOX_WAITS)
            differ(both, "should wait");
    } else if (wait->status < 0) {
        if (read != MBOX_FAILED || status != wait->status)
            differ(both, "should be denied");
    } else if (!(flags & MBOX_READ_AND_DELETE) &&
               (read != MBOX_READ || value_of(body) != wait->value || status != wait->status)) {
        differ(both, "a read");
    } else if ((flags & MBOX_READ_AND_DELETE) && read != MBOX_TOOK) {
        differ(both, "a take");
    }
    /* Only what was taken is kept for this asker. */
    wait->is_kept &= read == MBOX_TOOK;
}

static void step_confirm(struct both *both)
{
    struct model *model = &both->model;
    if (!model->wait_count)
        return;
    struct model_wait *wait = &model->waits[draw(both, model->wait_count)];
    if (!wait->is_kept)
        return;
    wait->is_kept = false;
    mboxes_confirm(&both->mboxes, asker_of(wait->tid, 0).epoch, wait->number);
}

static void step_reset(struct both *both, uint32_t tid, int class)
{
    bool all = draw(both, 2);
    int32_t index = draw(both, 2) ? -1 : (int32_t)draw(both, MODEL_INDEX_MAX);
    struct wire_u32s tids = {draw(both, 2), &tid};
    mboxes_reset(&both->mboxes, all ? "" : class_names[class], index, &tids);
    for (size_t i = 0; i < both->model.entry_count; i++) {
        struct model_entry *entry = &both->model.entries[i];
        if ((all || entry->class == class) && (index < 0 || entry->index == index) &&
            (entry->flags & MBOX_PERSISTENT) &&
            (entry->owner == 0 || (tids.count && entry->owner == tid)))
            entry->is_there = false;
    }
}

static void step_host_gone(struct both *both, uint32_t number)
{
    struct model *model = &both->model;
    mboxes_host_gone(&both->mboxes, number, 100 + number);
    for (uint64_t i = 0; i < TIDS; i++) {
        if (model_tid(i) >> 18 == number)
            model_ended(model, model_tid(i));
    }
    for (size_t i = 0; i < model->wait_count; i++) {
        if (model->waits[i].tid >> 18 == number)
            model->waits[i].is_kept = false;
    }
}

static void step(struct both *both)
{
    uint32_t tid = model_tid(draw(both, TIDS));
    int class = (int)draw(both, CLASSES);
    int32_t index = (int32_t)draw(both, MODEL_INDEX_MAX);
    uint64_t kind = draw(both, 64);
    if (kind < 24) {
        step_put(both, tid, class);
    } else if (kind < 44) {
        step_recv(both, tid, class);
    } else if (kind < 52) {
        if (mboxes_delete(&both->mboxes, tid, class_names[class], index) !=
            model_delete(&both->model, tid, class, index))
            differ(both, "a delete");
    } else if (kind < 58) {
        step_confirm(both);
    } else if (kind < 61) {
        mboxes_task_ended(&both->mboxes, tid);
        model_ended(&both->model, tid);
    } else if (kind < 63) {
        step_reset(both, tid, class);
    } else {
        step_host_gone(both, 1 + (uint32_t)draw(both, 2));
    }
}

/* ---- what stands in both ---- */

static size_t model_count(const struct model *model)
{
    size_t count = 0;
    for (size_t i = 0; i < model->entry_count; i++)
        count += model->entries[i].is_there;
    return count;
}

static void compare_list(struct both *both)
{
    struct arena arena;
    struct wire_mbox_class_list classes = {0};
    uint64_t born = 0;
    arena_init(&arena);
    mboxes_list(&both->mboxes, "", &arena, &classes);
    size_t count = 0;
    for (size_t i = 0; i < classes.count; i++) {
        const struct wire_mbox_class *class = &classes.items[i];
        for (size_t k = 0; k < class->places.count; k++, count++) {
            const struct wire_mbox_place *place = &class->places.items[k];
            int number = 0;
            while (strcmp(class_names[number], class->name) != 0)
                number++;
            const struct model_entry *entry =
                model_find(&both->model, number, place->index, place->index);
            if (!entry || entry->owner != place->owner || entry->flags != place->flags)
                differ(both, "an entry");
            else if (k == 0 && entry->born <= born)
                differ(both, "the order of classes");
            else
                born = entry->born;
        }
    }
    if (count != model_count(&both->model) || count != both->mboxes.entry_count)
        differ(both, "how many there are");
    arena_fini(&arena);
}

static void compare_waits(struct both *both)
{
    for (size_t i = 0; i < both->model.wait_count; i++) {
        const struct model_wait *wait = &both->model.waits[i];
        uint64_t epoch = asker_of(wait->tid, 0).epoch;
        const struct mbox_taken *taken = mboxes_taken(&both->mboxes, epoch, wait->number);
        if (wait->is_waiting != mboxes_waits(&both->mboxes, epoch, wait->number))
            differ(both, "who waits");
        if (wait->is_kept != (taken != NULL))
            differ(both, "who took");
        if (taken && (taken->status != wait->status ||
                      (taken->body &&
                       value_of((struct wire_bytes){taken->body->bytes, taken->body->length}) !=
                           wait->value)))
            differ(both, "what was taken");
    }
}

/* Through the bytes of a snapshot, in the place of the state. */
static void through_snapshot(struct both *both)
{
    struct arena arena;
    struct wr wr;
    struct message message = {.type = CMD_STATE};
    uint64_t hash = mboxes_hash(&both->mboxes);
    arena_init(&arena);
    wr_init(&wr);
    if (mboxes_save(&both->mboxes, &arena, &message.cmd_state) < 0)
        differ(both, "saving");
    message_encode(&wr, &message);
    mboxes_fini(&both->mboxes);
    struct message back;
    if (message_decode(wr.bytes, wr.length, &arena, &back) < 0 ||
        mboxes_restore(&both->mboxes, &back.cmd_state) < 0)
        differ(both, "restoring");
    if (mboxes_hash(&both->mboxes) != hash)
        differ(both, "the hash");
    wr_fini(&wr);
    arena_fini(&arena);
}

static int play(uint64_t seed, int steps)
{
    struct both *both = calloc(1, sizeof(*both));
    if (!both)
        return 1;
    rng_seed(&both->rng, seed);
    mboxes_init(&both->mboxes);
    for (int i = 0; i < steps && !both->differences; i++) {
        step(both);
        compare_list(both);
        compare_waits(both);
        if (draw(both, 50) == 0)
            through_snapshot(both);
    }
    int differences = both->differences;
    if (differences)
        printf("# seed %llu\n", (unsigned long long)seed);
    mboxes_fini(&both->mboxes);
    free(both);
    return differences;
}

static void test_model(void)
{
    int differences = 0;
    for (uint64_t seed = 1; seed <= 200; seed++)
        differences += play(seed, 400);
    EQUAL(differences, 0, "random commands do what the model does, through snapshots too");
}

/* ---- no memory ---- */

static void test_without_memory(void)
{
    int told = 0;
    for (uint64_t nth = 1; nth < 12; nth++) {
        struct mboxes m;
        struct wire_bytes body;
        int32_t status;
        struct mbox_asker asker = asker_of(BOB, 1);
        mboxes_init(&m);
        mem_fail_at(nth, 0);
        int failed = mboxes_recv(&m, &asker, "w", 0, MBOX_WAIT_FOR_INFO, &body, &status) ==
                     MBOX_NO_MEMORY;
        failed += put(&m, ALICE, "w", 0, "x") == -2000;
        failed += put(&m, ALICE, "p", 0, "x") == -2000;
        asker = asker_of(ALICE, 2);
        failed += mboxes_recv(&m, &asker, "p", 0, MBOX_READ_AND_DELETE, &body, &status) ==
                  MBOX_NO_MEMORY;
        mem_fail_at(0, 0);
        told += failed > 0;
        mboxes_fini(&m);
    }
    EQUAL(told, 11, "each allocation that fails is told, and leaves what can be taken down");
}

static void test_bad_snapshots(void)
{
    struct mboxes m;
    struct wire_mbox_entry entries[2] = {{.index = 1, .body = 1}, {.index = 1, .body = 1}};
    struct wire_mbox_body body = {.number = 1, .bytes = {(const uint8_t *)"x", 1}};
    struct wire_mbox_box box = {.name = "b", .entries = {1, entries}};
    struct wire_cmd_state state = {.mbox_bodies = {1, &body}, .mboxes = {1, &box}};
    struct wire_mbox_taken taken = {.body = 9};
    mboxes_init(&m);
    EQUAL(mboxes_restore(&m, &state), 0, "a state");
    box.entries.count = 2;
    EQUAL(mboxes_restore(&m, &state), -1, "one index twice");
    box.entries.count = 0;
    EQUAL(mboxes_restore(&m, &state), -1, "a class of nothing");
    box.entries.count = 1;
    entries[0].body = 2;
    EQUAL(mboxes_restore(&m, &state), -1, "a body that is not there");
    entries[0].body = 1;
    state.mbox_taken = (struct wire_mbox_taken_list){1, &taken};
    EQUAL(mboxes_restore(&m, &state), -1, "taken but not there");
    mboxes_fini(&m);
}

int main(void)
{
    TEST(test_patterns);
    TEST(test_owners_and_flags);
    TEST(test_insert);
    TEST(test_waiting);
    TEST(test_order_of_takers);
    TEST(test_ends);
    TEST(test_limits);
    TEST(test_model);
    TEST(test_without_memory);
    TEST(test_bad_snapshots);
    return tap_done();
}
