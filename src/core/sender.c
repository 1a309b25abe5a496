/* SPDX-License-Identifier: BSD-3-Clause */
/* What a task sent: see the header. */
#include "core/sender.h"

#include "base/mem.h"
#include "core/tid.h"

/* Maps hold pointers; sequences are 64 bits wide, so each gets a place of its own. */
struct last_message {
    uint64_t sequence;
};

struct sender *sender_create(uint32_t tid)
{
    struct sender *sender = mem_calloc(1, sizeof(*sender));
    if (!sender)
        return NULL;
    sender->tid = tid;
    list_init(&sender->link);
    list_init(&sender->open);
    list_init(&sender->mcasts);
    return sender;
}

void sender_destroy(struct sender *sender)
{
    if (!sender)
        return;
    CHECK(list_is_empty(&sender->mcasts));
    list_remove(&sender->link);
    LIST_EACH(pos, following, &sender->open)
        mem_free(LIST_ENTRY(pos, struct open_message, link));
    for (size_t i = 0; i < sender->last.count; i++)
        mem_free(sender->last.entries[i].value);
    map_fini(&sender->last);
    mem_free(sender);
}

static struct open_message *find_open(const struct sender *sender, const struct frame *frame)
{
    LIST_EACH(pos, following, &sender->open) {
        struct open_message *open = LIST_ENTRY(pos, struct open_message, link);
        if (open->receiver == frame->destination && open->sequence == frame->sequence)
            return open;
    }
    return NULL;
}

static void forget_open(struct sender *sender, struct open_message *open)
{
    list_remove(&open->link);
    mem_free(open);
    sender->open_count--;
}

static enum sender_verdict note_first(struct sender *sender, const struct frame *frame)
{
    if (sender->open_count >= SENDER_OPEN_MAX || find_open(sender, frame))
        return SENDER_MALFORMED;
    struct open_message *open = mem_calloc(1, sizeof(*open));
    if (!open)
        return SENDER_NO_MEMORY;
    open->receiver = frame->destination;
    open->sequence = frame->sequence;
    list_push_back(&sender->open, &open->link);
    sender->open_count++;
    return SENDER_OK;
}

int sender_note_complete(struct sender *sender, uint32_t receiver, uint64_t sequence)
{
    struct last_message *last = map_get(&sender->last, receiver);
    if (!last) {
        last = mem_calloc(1, sizeof(*last));
        if (!last)
            return -1;
        if (map_put(&sender->last, receiver, last) < 0) {
            mem_free(last);
            return -1;
        }
    }
    last->sequence = MAX_OF(last->sequence, sequence);
    return 0;
}

enum sender_verdict sender_note(struct sender *sender, const struct frame *frame)
{
    bool is_first = frame->flags & FRAME_FIRST;
    bool is_last = frame->flags & FRAME_LAST;
    if (is_first && !is_last)
        return note_first(sender, frame);
    struct open_message *open = is_first ? NULL : find_open(sender, frame);
    if (!is_first && !open)
        return SENDER_MALFORMED;
    if (!is_last)
        return SENDER_OK;
    if (sender_note_complete(sender, frame->destination, frame->sequence) < 0)
        return SENDER_NO_MEMORY;
    if (open)
        forget_open(sender, open);
    return SENDER_OK;
}

uint64_t sender_last(const struct sender *sender, uint32_t receiver)
{
    const struct last_message *last = map_get(&sender->last, receiver);
    return last ? last->sequence : 0;
}

void sender_forget(struct sender *sender, uint32_t receiver)
{
    mem_free(map_remove(&sender->last, receiver));
}

void sender_forget_gone(struct sender *sender, bool (*is_gone)(void *context, uint32_t receiver),
                        void *context)
{
    for (size_t i = sender->last.count; i-- > 0;) {
        uint32_t receiver = (uint32_t)sender->last.entries[i].key;
        if (is_gone(context, receiver))
            sender_forget(sender, receiver);
    }
}

static bool is_of_host(void *context, uint32_t receiver)
{
    return tid_host_number(receiver) == *(const uint32_t *)context;
}

void sender_forget_host(struct sender *sender, uint32_t number)
{
    sender_forget_gone(sender, is_of_host, &number);
}

bool sender_take_open(struct sender *sender, struct open_message *message)
{
    struct list *first = list_first(&sender->open);
    if (!first)
        return false;
    struct open_message *open = LIST_ENTRY(first, struct open_message, link);
    *message = *open;
    forget_open(sender, open);
    return true;
}
