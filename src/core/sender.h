/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a daemon knows of the messages that one task of its host sent: the last complete message for
 * each receiver, and the messages begun and not yet finished (promise 1, decision D4).
 *
 * A sender outlives its task, as a ghost: a watch that comes after the end must still be answered
 * with the right count while a flow from the task is under way.
 */
#ifndef CORE_SENDER_H
#define CORE_SENDER_H

#include "base/list.h"
#include "base/map.h"
#include "wire/frame.h"

enum { SENDER_OPEN_MAX = 1024 }; /* messages one task may have begun and not finished */

struct sender {
    struct list link;     /* among the ghosts once the task ended */
    uint32_t tid;
    struct map last;      /* receiver -> its last complete message, as a value */
    struct list open;     /* struct open_message */
    struct list mcasts;   /* struct mcast: core/mcast.h */
    uint32_t open_count;
    uint32_t flow_count;  /* flows with bytes that the peer has not acknowledged */
    uint32_t flows_over;  /* of these, above the window */
    bool has_ended;
};

struct open_message {
    struct list link;
    uint32_t receiver;
    uint64_t sequence;
};

enum sender_verdict { SENDER_OK, SENDER_MALFORMED, SENDER_NO_MEMORY };

/* NULL without memory. */
struct sender *sender_create(uint32_t tid);
void sender_destroy(struct sender *sender);
/* Takes note of one DATA frame of the task. MALFORMED: a fragment without a beginning, or too many
 * begun. */
enum sender_verdict sender_note(struct sender *sender, const struct frame *frame);
/* Message |sequence| to |receiver| is complete. 0, -1 without memory. */
int sender_note_complete(struct sender *sender, uint32_t receiver, uint64_t sequence);
/* The last complete message to |receiver|, 0 = none. */
uint64_t sender_last(const struct sender *sender, uint32_t receiver);
/* |receiver| is no more. */
void sender_forget(struct sender *sender, uint32_t receiver);
/* As sender_forget() for every receiver that |is_gone|. */
void sender_forget_gone(struct sender *sender, bool (*is_gone)(void *context, uint32_t receiver),
                        void *context);
/* No task of host |number| is any more. */
void sender_forget_host(struct sender *sender, uint32_t number);
/* Takes out one unfinished message; false when there is none left. */
bool sender_take_open(struct sender *sender, struct open_message *message);

#endif
