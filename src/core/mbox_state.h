/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The parts of core/mbox.c that core/mbox_state.c builds a state from when it restores one. Both
 * keep the counts of struct mboxes. NULL and -1: no memory.
 */
#ifndef CORE_MBOX_STATE_H
#define CORE_MBOX_STATE_H

#include "core/mbox.h"

#define MBOX_CLASS_OF(pos) LIST_ENTRY(pos, struct mbox_class, link)
#define MBOX_BODY_OF(pos) LIST_ENTRY(pos, struct mbox_body, link)
#define MBOX_WAITER_OF(pos) LIST_ENTRY(pos, struct mbox_waiter, link)
#define MBOX_TAKEN_OF(pos) LIST_ENTRY(pos, struct mbox_taken, link)

/* With one reference, the caller's. |number| is above all others. */
struct mbox_body *mbox_body_create(struct mboxes *mboxes, uint64_t number,
                                   struct wire_bytes bytes);
void mbox_body_drop(struct mboxes *mboxes, struct mbox_body *body);
/* The newest, without entries. */
struct mbox_class *mbox_class_create(struct mboxes *mboxes, const char *name);
/* Takes over the reference to the body. */
int mbox_entry_insert(struct mboxes *mboxes, struct mbox_class *class,
                      const struct mbox_entry *entry);
struct mbox_waiter *mbox_waiter_create(struct mboxes *mboxes, const struct mbox_asker *asker,
                                       const char *name, int32_t index, uint32_t flags);
void mbox_waiter_destroy(struct mboxes *mboxes, struct mbox_waiter *waiter);
/* Takes a reference of its own to |body|. */
struct mbox_taken *mbox_taken_create(struct mboxes *mboxes, uint64_t epoch, uint64_t number,
                                     int32_t status, struct mbox_body *body);

#endif
