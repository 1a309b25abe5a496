/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists by shape: see the header. Messages are numbered (slots), and a place says for one message
 * and one shape which list it is in and what its neighbours are; a bucket is one such list. Number
 * 0 is nobody: slot 0 and bucket 0 are never used.
 */
#include "client/queue_index.h"

#include "base/mem.h"

enum { BY_SOURCE = 1, BY_TAG = 2, BY_CONTEXT = 4, SHAPES = 8 };
enum { HEADS_INITIAL = 64 };

struct place {
    uint32_t previous; /* slots */
    uint32_t next;
    uint32_t bucket;
};

struct bucket {
    struct queue_key key; /* -1 where the shape does not look */
    uint32_t first;       /* slots */
    uint32_t last;
    uint32_t chain; /* next bucket of the same head, or next free one */
};

struct shape {
    struct place *places; /* by slot; NULL = nobody asked for this shape yet */
    size_t place_capacity;
    struct bucket *buckets;
    size_t bucket_capacity;
    uint32_t bucket_end; /* first that was never used */
    uint32_t bucket_free;
    uint32_t live;   /* buckets in use, all of them in chains */
    uint32_t *heads; /* hash table */
    size_t head_count;
};

union slot {
    struct msg *msg;
    uint32_t next_free;
};

struct queue_index {
    union slot *slots;
    size_t slot_capacity;
    uint32_t slot_end; /* first that was never used */
    uint32_t slot_free;
    struct shape shapes[SHAPES];
};

static unsigned shape_of(const struct queue_key *key)
{
    return (key->source != -1 ? BY_SOURCE : 0u) | (key->tag != -1 ? BY_TAG : 0u) |
           (key->context != -1 ? BY_CONTEXT : 0u);
}

/* What |shape| sees of |msg|. */
static struct queue_key key_of(unsigned shape, const struct msg *msg)
{
    return (struct queue_key){.source = shape & BY_SOURCE ? msg->source : -1,
                              .tag = shape & BY_TAG ? msg->tag : -1,
                              .context = shape & BY_CONTEXT ? msg->context : -1};
}

/* ---- buckets ---- */

static uint64_t hash(const struct queue_key *key)
{
    uint64_t mixed = (uint64_t)(uint32_t)key->source << 32 | (uint32_t)key->tag;
    mixed ^= (uint32_t)key->context * 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ (mixed >> 32)) * 0xd6e8feb86659fd93u;
    mixed = (mixed ^ (mixed >> 32)) * 0xd6e8feb86659fd93u;
    return mixed ^ (mixed >> 32);
}

static uint32_t *head_of(const struct shape *shape, const struct queue_key *key)
{
    return &shape->heads[hash(key) & (shape->head_count - 1)];
}

/* The bucket's number, 0 = there is none. */
static uint32_t bucket_find(const struct shape *shape, const struct queue_key *key, uint64_t *steps)
{
    uint32_t number = *head_of(shape, key);
    while (number) {
        const struct bucket *bucket = &shape->buckets[number];
        ++*steps;
        if (bucket->key.source == key->source && bucket->key.tag == key->tag &&
            bucket->key.context == key->context)
            break;
        number = bucket->chain;
    }
    return number;
}

static void bucket_chain(struct shape *shape, uint32_t number)
{
    struct bucket *bucket = &shape->buckets[number];
    uint32_t *head = head_of(shape, &bucket->key);
    bucket->chain = *head;
    *head = number;
}

static void bucket_unchain(struct shape *shape, uint32_t number)
{
    uint32_t *link = head_of(shape, &shape->buckets[number].key);
    while (*link != number)
        link = &shape->buckets[*link].chain;
    *link = shape->buckets[number].chain;
}

/* One chain per bucket on average, at least. */
static int heads_grow(struct shape *shape)
{
    const size_t count = shape->head_count ? shape->head_count * 2 : HEADS_INITIAL;
    uint32_t *heads = mem_calloc(count, sizeof(*heads));
    if (!heads)
        return -1;
    uint32_t *old = shape->heads;
    const size_t old_count = shape->head_count;
    shape->heads = heads;
    shape->head_count = count;
    for (size_t i = 0; i < old_count; i++)
        for (uint32_t number = old[i], following; number; number = following) {
            following = shape->buckets[number].chain;
            bucket_chain(shape, number);
        }
    mem_free(old);
    return 0;
}

/* A new empty bucket for |key|; 0 without memory. */
static uint32_t bucket_make(struct shape *shape, const struct queue_key *key)
{
    if (shape->live >= shape->head_count && heads_grow(shape) < 0)
        return 0;
    uint32_t number = shape->bucket_free;
    if (number) {
        shape->bucket_free = shape->buckets[number].chain;
    } else {
        if (mem_grow((void **)&shape->buckets, &shape->bucket_capacity,
                     (size_t)shape->bucket_end + 1, sizeof(*shape->buckets)) < 0)
            return 0;
        number = shape->bucket_end++;
    }
    shape->buckets[number] = (struct bucket){.key = *key};
    bucket_chain(shape, number);
    shape->live++;
    return number;
}

static void bucket_end(struct shape *shape, uint32_t number)
{
    bucket_unchain(shape, number);
    shape->buckets[number].chain = shape->bucket_free;
    shape->bucket_free = number;
    shape->live--;
}

/* ---- places ---- */

/* Links |slot| into bucket |number| before the place |next|, 0 = at the end. */
static void place_link(struct shape *shape, uint32_t slot, uint32_t number, uint32_t next)
{
    struct bucket *bucket = &shape->buckets[number];
    const uint32_t previous = next ? shape->places[next].previous : bucket->last;
    shape->places[slot] = (struct place){previous, next, number};
    if (previous)
        shape->places[previous].next = slot;
    else
        bucket->first = slot;
    if (next)
        shape->places[next].previous = slot;
    else
        bucket->last = slot;
}

static void place_unlink(struct shape *shape, uint32_t slot)
{
    const struct place place = shape->places[slot];
    struct bucket *bucket = &shape->buckets[place.bucket];
    if (place.previous)
        shape->places[place.previous].next = place.next;
    else
        bucket->first = place.next;
    if (place.next)
        shape->places[place.next].previous = place.previous;
    else
        bucket->last = place.previous;
    if (!bucket->first)
        bucket_end(shape, place.bucket);
}

/* The next message of the same bucket, 0 = none. Only few came after one that is not the last: the
 * queue bounds how far back a message goes, but for the rare ones that were held back. */
static uint32_t place_after(const struct shape *shape, const struct list *messages,
                            const struct msg *msg, uint32_t number, uint64_t *steps)
{
    for (const struct list *node = msg->link.next; node != messages; node = node->next) {
        const struct msg *other = LIST_ENTRY(node, struct msg, link);
        ++*steps;
        if (shape->places[other->queue_slot].bucket == number)
            return other->queue_slot;
    }
    return 0;
}

/* ---- shapes ---- */

static void shape_fini(struct shape *shape)
{
    mem_free(shape->places);
    mem_free(shape->buckets);
    mem_free(shape->heads);
}

static int shape_reserve(struct shape *shape, size_t slot_count)
{
    return mem_grow((void **)&shape->places, &shape->place_capacity, slot_count,
                    sizeof(*shape->places));
}

/* The bucket of |msg| in shape |which|, made if need be; 0 without memory. */
static uint32_t shape_bucket(struct queue_index *index, unsigned which, const struct msg *msg,
                             uint64_t *steps)
{
    struct shape *shape = &index->shapes[which];
    const struct queue_key key = key_of(which, msg);
    const uint32_t number = bucket_find(shape, &key, steps);
    return number ? number : bucket_make(shape, &key);
}

/* Takes in all that waits. 0 or -1. */
static int shape_build(struct queue_index *index, unsigned which, const struct list *messages,
                       uint64_t *steps)
{
    struct shape *shape = &index->shapes[which];
    shape->bucket_end = 1;
    if (shape_reserve(shape, index->slot_end) < 0 || heads_grow(shape) < 0)
        return -1;
    for (const struct list *node = messages->next; node != messages; node = node->next) {
        const struct msg *msg = LIST_ENTRY(node, struct msg, link);
        const uint32_t number = shape_bucket(index, which, msg, steps);
        if (!number)
            return -1;
        place_link(shape, msg->queue_slot, number, 0);
    }
    return 0;
}

static int shape_add(struct queue_index *index, unsigned which, const struct list *messages,
                     const struct msg *msg, uint64_t *steps)
{
    struct shape *shape = &index->shapes[which];
    if (shape_reserve(shape, index->slot_end) < 0)
        return -1;
    const uint32_t number = shape_bucket(index, which, msg, steps);
    if (!number)
        return -1;
    place_link(shape, msg->queue_slot, number, place_after(shape, messages, msg, number, steps));
    return 0;
}

/* ---- the whole ---- */

static int slot_take(struct queue_index *index, struct msg *msg)
{
    uint32_t slot = index->slot_free;
    if (slot) {
        index->slot_free = index->slots[slot].next_free;
    } else {
        if (index->slot_end == UINT32_MAX ||
            mem_grow((void **)&index->slots, &index->slot_capacity, (size_t)index->slot_end + 1,
                     sizeof(*index->slots)) < 0)
            return -1;
        slot = index->slot_end++;
    }
    index->slots[slot].msg = msg;
    msg->queue_slot = slot;
    return 0;
}

struct queue_index *queue_index_create(const struct list *messages)
{
    struct queue_index *index = mem_calloc(1, sizeof(*index));
    if (!index)
        return NULL;
    index->slot_end = 1;
    for (struct list *node = messages->next; node != messages; node = node->next)
        if (slot_take(index, LIST_ENTRY(node, struct msg, link)) < 0) {
            queue_index_destroy(index);
            return NULL;
        }
    return index;
}

void queue_index_destroy(struct queue_index *index)
{
    if (!index)
        return;
    for (unsigned which = 0; which < SHAPES; which++)
        shape_fini(&index->shapes[which]);
    mem_free(index->slots);
    mem_free(index);
}

int queue_index_add(struct queue_index *index, const struct list *messages, struct msg *msg,
                    uint64_t *steps)
{
    if (slot_take(index, msg) < 0)
        return -1;
    for (unsigned which = 0; which < SHAPES; which++)
        if (index->shapes[which].places && shape_add(index, which, messages, msg, steps) < 0)
            return -1;
    return 0;
}

void queue_index_remove(struct queue_index *index, const struct msg *msg)
{
    for (unsigned which = 0; which < SHAPES; which++)
        if (index->shapes[which].places)
            place_unlink(&index->shapes[which], msg->queue_slot);
    index->slots[msg->queue_slot].next_free = index->slot_free;
    index->slot_free = msg->queue_slot;
}

int queue_index_find(struct queue_index *index, const struct list *messages,
                     const struct queue_key *key, struct msg **msg, uint64_t *steps)
{
    const unsigned which = shape_of(key);
    struct shape *shape = &index->shapes[which];
    if (!shape->places && shape_build(index, which, messages, steps) < 0)
        return -1;
    const uint32_t number = bucket_find(shape, key, steps);
    *msg = number ? index->slots[shape->buckets[number].first].msg : NULL;
    return 0;
}
