/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the parts of the task farm share: the job, the names of its mailboxes, the tags of its
 * messages. README.md says how the parts play together; read farm.c next.
 */
#ifndef FARM_H
#define FARM_H

enum { JOB_NAME_BYTES = 48, MAILBOX_NAME_BYTES = 96 };

/* The job as it stands in the mailbox farm.NAME.job: whoever finds it there can take it up. */
struct job {
    char name[JOB_NAME_BYTES];
    int item_count;
    int item_ms;     /* each item takes at least so long: see work.c */
    int workers;     /* kept alive, in all */
    int supervisors; /* kept alive: one leads, the others stand by */
};

enum {
    TAG_ITEMS = 1,   /* leader to worker: count, items */
    TAG_RESULT,      /* worker to leader: item, result */
    TAG_STANDBY,     /* supervisor to leader: I watch you */
    TAG_GO,          /* leader to worker or standby: you are not needed any more */
    TAG_TASK_END,    /* notice */
    TAG_HOST_END,    /* notice */
    TAG_HOST_NEW     /* notice */
};

/* work.c: what the farm is for. */
int work(int item, int item_ms);

/* worker.c, supervisor.c: the roles of a spawned task; the result is its exit status. */
int worker_main(int item_ms);
int supervisor_main(const char *job_name);

/* job.c. "farm.NAME.WHAT" */
void job_mailbox(const struct job *job, const char *what, char text[MAILBOX_NAME_BYTES]);
/* The job |name| is there: 0. Else PvmNotFound, or another error. */
int job_read(const char *name, struct job *job);
int job_write(const struct job *job);
/* All items are in the ledger: the leader says so last of all. */
int job_set_done(const struct job *job);
int job_is_done(const struct job *job);
/* Becomes the leader: 0, or PvmDenied (somebody is), or another error. One succeeds, whoever tries,
 * and nobody else until that one has ended, however it ended. */
int job_claim(const struct job *job);
/* The tid of the leader; PvmNotFound when there is none. */
int job_leader(const struct job *job);
/* Removes every trace of the job but its pages (ledger_remove()). */
void job_remove(const struct job *job);
/* Starts a supervisor on |host| (NULL: anywhere) and asks for notice of its end: its tid, or an
 * error. */
int job_start_supervisor(const struct job *job, const char *host);

#endif
