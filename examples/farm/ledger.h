/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ledger: which items are done, and with what result. It is kept in mailboxes and is the only
 * truth about the job: what is in it is done, what is not has to be done, whoever computed what.
 *
 * Each leader writes pages of its own (mailbox farm.NAME.page.TID, entries 0, 1, 2 ...), each only
 * ever growing, and the ledger is what all pages of all leaders say together. So nothing that was
 * written is ever changed by somebody else, and a leader that dies while it writes leaves either
 * the page as it was or the page with more on it. An item that is on two pages has the same result
 * on both, and counts once: here, and nowhere else, an item is kept from being doubled.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include "farm.h"

enum { PAGE_RECORDS = 256 };

struct ledger {
    const struct job *job;
    int *results;
    char *is_done;     /* of each item */
    int done_count;
    int twice_count;   /* results that were there already */
    int writers;       /* leaders of which there are pages */
    int page;          /* the page that this task fills */
    int records[PAGE_RECORDS][2];
    int record_count;
    int written_count; /* of these, in the mailbox */
};

/* Reads all that is there. 0, or an error; ledger_close() either way. */
int ledger_open(struct ledger *ledger, const struct job *job);
void ledger_close(struct ledger *ledger);
/* Notes a result. 1 = it is new, 0 = it was there, or an error of writing a full page. It counts
 * when ledger_write() succeeded: until then it is lost with this task, and done again. */
int ledger_note(struct ledger *ledger, int item, int result);
/* Writes what was noted. 0, or an error: then nobody knows whether it is there, and this task
 * should end. */
int ledger_write(struct ledger *ledger);
int ledger_is_complete(const struct ledger *ledger);
/* Deletes all pages of the job. */
void ledger_remove(const struct job *job);

#endif
