/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The job's mailboxes, but for the ledger: what is to be done, who leads, whether it is done.
 *
 * A mailbox entry is kept by the virtual machine itself, on several hosts, and outlives any of
 * them. Persistent ones also outlive who wrote them; the others vanish with their writer, which
 * makes one of them a lock that no dead task can hold.
 */
#include "farm.h"

#include <stdio.h>

#include <pvm3.h>

#include <string.h>

enum { KEPT = PvmMboxPersistent | PvmMboxOverWritable };

void job_mailbox(const struct job *job, const char *what, char text[MAILBOX_NAME_BYTES])
{
    snprintf(text, MAILBOX_NAME_BYTES, "farm.%s.%s", job->name, what);
}

/* Puts |count| numbers; the index, or an error. */
static int put(const struct job *job, const char *what, int *numbers, int count, int flags)
{
    char name[MAILBOX_NAME_BYTES];
    job_mailbox(job, what, name);
    pvm_initsend(PvmDataDefault);
    pvm_pkint(numbers, count, 1);
    return pvm_putinfo(name, pvm_getsbuf(), flags);
}

static int get(const struct job *job, const char *what, int *numbers, int count)
{
    char name[MAILBOX_NAME_BYTES];
    job_mailbox(job, what, name);
    int message = pvm_recvinfo(name, 0, PvmMboxDefault);
    return message < 0 ? message : pvm_upkint(numbers, count, 1);
}

static void delete(const struct job *job, const char *what)
{
    char name[MAILBOX_NAME_BYTES];
    job_mailbox(job, what, name);
    pvm_delinfo(name, 0, PvmMboxDefault);
}

int job_read(const char *name, struct job *job)
{
    int numbers[4];
    *job = (struct job){.item_count = 0};
    snprintf(job->name, sizeof(job->name), "%s", name);
    int status = get(job, "job", numbers, 4);
    if (status < 0)
        return status;
    job->item_count = numbers[0];
    job->item_ms = numbers[1];
    job->workers = numbers[2];
    job->supervisors = numbers[3];
    return 0;
}

int job_write(const struct job *job)
{
    int numbers[4] = {job->item_count, job->item_ms, job->workers, job->supervisors};
    return put(job, "job", numbers, 4, KEPT);
}

int job_set_done(const struct job *job)
{
    int one = 1;
    return put(job, "done", &one, 1, KEPT);
}

int job_is_done(const struct job *job)
{
    int one = 0;
    return get(job, "done", &one, 1) >= 0 && one == 1;
}

int job_claim(const struct job *job)
{
    int tid = pvm_mytid();
    int index = put(job, "leader", &tid, 1, PvmMboxDefault);
    return index < 0 ? index : 0;
}

int job_leader(const struct job *job)
{
    int tid, status = get(job, "leader", &tid, 1);
    return status < 0 ? status : tid;
}

void job_remove(const struct job *job)
{
    delete(job, "job");
    delete(job, "done");
}

int job_start_supervisor(const struct job *job, const char *host)
{
    char name[JOB_NAME_BYTES];
    char *arguments[] = {"-supervisor", name, NULL};
    int tid;
    snprintf(name, sizeof(name), "%s", job->name);
    int started = pvm_spawn("farm", arguments, host ? PvmTaskHost : PvmTaskDefault, (char *)host, 1,
                            &tid);
    if (started < 1)
        return started < 0 ? started : tid;
    pvm_notify(PvmTaskExit, TAG_TASK_END, 1, &tid);
    return tid;
}
