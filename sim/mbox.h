/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mailboxes as simulated tasks use them, and the model that says what they must hold.
 *
 * Three ways of use, each of which can be checked whatever happens meanwhile. Own: a task puts,
 * reads and deletes under a name that no other uses, one request at a time; every answer is known
 * beforehand. Bag: everybody puts into one class and takes out of it; what was put comes out once,
 * and is there at the end if nobody took it. Wait: tasks wait for entries that others put later.
 */
#ifndef SIM_MBOX_H
#define SIM_MBOX_H

#include "sim/task.h"

enum sim_mbox_what {
    SIM_MBOX_OWN_PUT, SIM_MBOX_OWN_GET, SIM_MBOX_OWN_DELETE,
    SIM_MBOX_BAG_PUT, SIM_MBOX_BAG_TAKE,
    SIM_MBOX_AWAIT, SIM_MBOX_FULFIL, /* of the name |number| */
    SIM_MBOX_WHATS
};

/* Asks; |size_bytes| of what is put. 0; -1: not now (own: the last one is not answered). */
int sim_mbox_ask(struct sim_task *task, enum sim_mbox_what what, uint32_t number,
                 uint32_t size_bytes);
/* An answer came to the request |wait|: true when it was one of these, and was looked at. */
bool sim_mbox_answered(struct sim_task *task, int wait, const struct message *message);
/* All names that somebody waits for are put by |task|. */
void sim_mbox_fulfil_all(struct sim_task *task);
/* At rest: takes everything out of the bag through |task|, one after the other, until it is empty;
 * then sim_mbox_check_bag() says whether something is missing. */
void sim_mbox_empty_bag(struct sim_task *task);
void sim_mbox_check_bag(struct sim_world *world);

/* The model, a part of struct sim_promises. */
struct sim_mboxes {
    struct map requests;  /* (tid, wait) -> struct request */
    struct map own;       /* tid -> struct own */
    struct map items;     /* number of an item of the bag -> struct item */
    struct map awaited;   /* number of a name -> itself */
    uint64_t items_put, items_taken, asked, answered;
    uint64_t last_item;
    uint32_t emptying;    /* the task that takes until the bag is empty */
};

void sim_mboxes_init(struct sim_mboxes *mboxes);
void sim_mboxes_fini(struct sim_mboxes *mboxes);

#endif
