/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mailboxes (API-63 to API-69): messages kept under a class name and an index, the same on all
 * hosts. Made by the commands of the log and by nothing else; the rules are the original's, code by
 * code.
 *
 * A body is what the library made of a message; here it is bytes, kept once however many refer to
 * it: an entry, and those who took it and have not confirmed that they have it. (The daemon of one
 * who took may see a snapshot in place of the command that gave it.) Everything is counted against
 * MBOX_STORE_BYTES_MAX, by the same arithmetic on all hosts; over it PvmNoMem.
 *
 * Who asks whom: core/mbox_request.h. Results that are no memory here are -1 and not of the state:
 * a host that has no memory to apply a command must stop.
 */
#ifndef CORE_MBOX_H
#define CORE_MBOX_H

#include "base/list.h"
#include "wire/msgs.h"

#include <stdbool.h>

enum {
    /* With tables and requests a snapshot fits into one message (WIRE_MESSAGE_BYTES_MAX). */
    MBOX_STORE_BYTES_MAX = 8 * 1024 * 1024,
    MBOX_ITEM_BYTES = 64 /* of an entry, a class, one who waits or took, beside body and name */
};

/* CST-8 */
enum mbox_flag {
    MBOX_PERSISTENT = 1,
    MBOX_MULTI_INSTANCE = 2,
    MBOX_OVERWRITABLE = 4,
    MBOX_FIRST_AVAIL = 8,
    MBOX_READ_AND_DELETE = 16,
    MBOX_WAIT_FOR_INFO = 32,
    MBOX_DIRECT_SHIFT = 10
};

struct mbox_body {
    struct list link;      /* in mboxes.bodies, ascending number */
    uint64_t number;
    uint32_t references;
    size_t length;
    uint8_t bytes[];
};

struct mbox_entry {
    int32_t index;
    uint32_t owner; /* tid; 0 = it ended */
    uint32_t flags;
    struct mbox_body *body;
};

struct mbox_class {
    struct list link;      /* in mboxes.classes, in the order of creation */
    struct mbox_entry *entries; /* ascending index, at least one */
    size_t count;
    size_t capacity;
    char *name;
};

/* A request as the log names it; all of them are short (core/applied.h). */
struct mbox_asker {
    uint64_t epoch;
    uint64_t number;
    uint32_t tid;
};

/* A task that waits for an entry to come. */
struct mbox_waiter {
    struct list link;      /* in mboxes.waiters, oldest first */
    struct mbox_asker asker;
    int32_t index;
    uint32_t flags;
    char *name;
};

/* What a task got, until its daemon confirms. */
struct mbox_taken {
    struct list link;      /* in mboxes.taken, oldest first */
    uint64_t epoch;
    uint64_t number;
    int32_t status;        /* the index, or an error and no body */
    struct mbox_body *body;
};

struct mboxes {
    struct list classes;
    struct list bodies;
    struct list waiters;
    struct list taken;
    uint64_t last_body;
    uint64_t bytes;        /* counted */
    size_t entry_count;
};

void mboxes_init(struct mboxes *mboxes);
void mboxes_fini(struct mboxes *mboxes);

/* Puts |bytes| under |name|. *status is the index or an error. |index| >= 0: there and nowhere
 * else, PvmDenied when it is taken (pvm_insert); -1: as the flags say. 0, -1 without memory.
 * Whoever waited for it is now among mboxes->taken, at the end. */
int mboxes_put(struct mboxes *mboxes, uint32_t tid, const char *name, int32_t index, uint32_t flags,
               struct wire_bytes bytes, int32_t *status);

/* What a read comes to. */
enum mbox_read {
    MBOX_READ,   /* *body: valid until the next change; *status: the index where it was found */
    MBOX_FAILED, /* *status */
    MBOX_TOOK,   /* it is the last of mboxes->taken: to be confirmed */
    MBOX_WAITS,
    MBOX_NO_MEMORY
};
enum mbox_read mboxes_recv(struct mboxes *mboxes, const struct mbox_asker *asker, const char *name,
                           int32_t index, uint32_t flags, struct wire_bytes *body,
                           int32_t *status);
/* The index, or an error. */
int32_t mboxes_delete(struct mboxes *mboxes, uint32_t tid, const char *name, int32_t index);
/* The classes whose names match (API-66), pointing into |mboxes| and |arena|. 0, -1 without
 * memory. */
int mboxes_list(const struct mboxes *mboxes, const char *pattern, struct arena *arena,
                struct wire_mbox_class_list *classes);
/* Removes persistent entries whose owner ended or is one of |tids|; "" = of all classes, -1 = all
 * indices. */
void mboxes_reset(struct mboxes *mboxes, const char *name, int32_t index,
                  const struct wire_u32s *tids);
/* |tid| ended: its entries go, or belong to nobody; it waits no more. */
void mboxes_task_ended(struct mboxes *mboxes, uint32_t tid);
/* Host |number|, daemon |epoch|, left: all its tasks ended, and nobody there confirms. */
void mboxes_host_gone(struct mboxes *mboxes, uint32_t number, uint64_t epoch);
/* The request |number| of |epoch| has what it took. */
void mboxes_confirm(struct mboxes *mboxes, uint64_t epoch, uint64_t number);

/* NULL when that request took nothing, or confirmed; does not wait. */
const struct mbox_taken *mboxes_taken(const struct mboxes *mboxes, uint64_t epoch,
                                      uint64_t number);
bool mboxes_waits(const struct mboxes *mboxes, uint64_t epoch, uint64_t number);

/* Fills the mbox fields of |state|, pointing into |mboxes| and |arena|; and back. 0; -1 without
 * memory or when it cannot be. */
int mboxes_save(const struct mboxes *mboxes, struct arena *arena, struct wire_cmd_state *state);
int mboxes_restore(struct mboxes *mboxes, const struct wire_cmd_state *state);
uint64_t mboxes_hash(const struct mboxes *mboxes);

/* API-66: a part of |name|, with '*' for anything; "\*" is a star unless it begins a part. "" and
 * "*" match all. */
bool mbox_pattern_matches(const char *pattern, const char *name);

#endif
