/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages in mailboxes: see the header. */
#include "ledger.h"

#include <stdio.h>

#include <pvm3.h>

#include <stdlib.h>
#include <string.h>

static void note(struct ledger *ledger, int item, int result)
{
    if (item < 0 || item >= ledger->job->item_count)
        return;
    if (ledger->is_done[item]) {
        ledger->twice_count++;
        return;
    }
    ledger->is_done[item] = 1;
    ledger->results[item] = result;
    ledger->done_count++;
}

static int read_page(struct ledger *ledger, char *name, int index)
{
    int count, record[2];
    int message = pvm_recvinfo(name, index, PvmMboxDefault);
    if (message < 0)
        return message;
    pvm_upkint(&count, 1, 1);
    while (count-- > 0 && pvm_upkint(record, 2, 1) >= 0)
        note(ledger, record[0], record[1]);
    pvm_freebuf(message);
    return 0;
}

/* The classes of mailboxes that hold pages of the job. Copied: the list that the library gives is
 * its own until the next call. */
struct page_class {
    char name[MAILBOX_NAME_BYTES];
    int *indices;
    int count;
};

static int list_pages(const struct job *job, struct page_class **classes)
{
    char prefix[MAILBOX_NAME_BYTES], pattern[MAILBOX_NAME_BYTES + 1];
    struct pvmmboxinfo *found;
    int found_count, count = 0;
    job_mailbox(job, "page.", prefix);
    snprintf(pattern, sizeof(pattern), "%s*", prefix);
    int status = pvm_getmboxinfo(pattern, &found_count, &found);
    if (status < 0)
        return status;
    *classes = calloc((size_t)found_count + 1, sizeof(**classes));
    for (int i = 0; *classes && i < found_count; i++) {
        struct page_class *class = &(*classes)[count];
        if (strncmp(found[i].mi_name, prefix, strlen(prefix)) != 0)
            continue;
        class->indices = malloc(((size_t)found[i].mi_nentries + 1) * sizeof(int));
        if (!class->indices)
            continue;
        snprintf(class->name, sizeof(class->name), "%s", found[i].mi_name);
        class->count = found[i].mi_nentries;
        memcpy(class->indices, found[i].mi_indices, (size_t)class->count * sizeof(int));
        count++;
    }
    return *classes ? count : PvmNoMem;
}

static void free_pages(struct page_class *classes, int count)
{
    for (int i = 0; i < count; i++)
        free(classes[i].indices);
    if (count >= 0)
        free(classes);
}

static void own_name(const struct job *job, char name[MAILBOX_NAME_BYTES])
{
    char what[32];
    snprintf(what, sizeof(what), "page.%x", (unsigned)pvm_mytid());
    job_mailbox(job, what, name);
}

static int read_all(struct ledger *ledger)
{
    char own[MAILBOX_NAME_BYTES];
    struct page_class *classes = NULL;
    int count = list_pages(ledger->job, &classes), status = count < 0 ? count : 0;
    own_name(ledger->job, own);
    for (int i = 0; i < count && status == 0; i++) {
        for (int k = 0; k < classes[i].count && status == 0; k++) {
            status = read_page(ledger, classes[i].name, classes[i].indices[k]);
            if (strcmp(classes[i].name, own) == 0 && classes[i].indices[k] >= ledger->page)
                ledger->page = classes[i].indices[k] + 1;
        }
        ledger->writers++;
    }
    free_pages(classes, count);
    return status;
}

int ledger_open(struct ledger *ledger, const struct job *job)
{
    memset(ledger, 0, sizeof(*ledger));
    ledger->job = job;
    ledger->results = calloc((size_t)job->item_count + 1, sizeof(int));
    ledger->is_done = calloc((size_t)job->item_count + 1, 1);
    if (!ledger->results || !ledger->is_done)
        return PvmNoMem;
    return read_all(ledger);
}

void ledger_close(struct ledger *ledger)
{
    free(ledger->results);
    free(ledger->is_done);
    ledger->results = NULL;
    ledger->is_done = NULL;
}

int ledger_note(struct ledger *ledger, int item, int result)
{
    int before = ledger->done_count;
    note(ledger, item, result);
    if (ledger->done_count == before)
        return 0;
    ledger->records[ledger->record_count][0] = item;
    ledger->records[ledger->record_count][1] = result;
    if (++ledger->record_count < PAGE_RECORDS)
        return 1;
    int status = ledger_write(ledger);
    ledger->page++;
    ledger->record_count = 0;
    ledger->written_count = 0;
    return status < 0 ? status : 1;
}

int ledger_write(struct ledger *ledger)
{
    char name[MAILBOX_NAME_BYTES];
    if (ledger->record_count == ledger->written_count)
        return 0;
    own_name(ledger->job, name);
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&ledger->record_count, 1, 1);
    pvm_pkint(&ledger->records[0][0], 2 * ledger->record_count, 1);
    int status = pvm_putinfo(name, pvm_getsbuf(), PvmMboxPersistent | PvmMboxOverWritable |
                                                      (int)PvmMboxDirectIndex(ledger->page));
    if (status < 0)
        return status;
    ledger->written_count = ledger->record_count;
    return 0;
}

int ledger_is_complete(const struct ledger *ledger)
{
    return ledger->done_count == ledger->job->item_count &&
           ledger->written_count == ledger->record_count;
}

void ledger_remove(const struct job *job)
{
    struct page_class *classes = NULL;
    int count = list_pages(job, &classes);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < classes[i].count; k++)
            pvm_delinfo(classes[i].name, classes[i].indices[k], PvmMboxDefault);
    free_pages(classes, count);
}
