/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Jobs: what was spawned with its output redirected, and the lines it prints (CON-4, CON-16,
 * CON-21). Pure: pieces of output go in, whole lines `[job:t<tid>] text` come out through a sink.
 * Whether that is the screen or a file is decided by who made the job (cmds_spawn.c); where
 * messages come from: notice.c.
 */
#ifndef CONSOLE_JOB_H
#define CONSOLE_JOB_H

#include "base/list.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JOB_LINE_BYTES_MAX = 65536 /* a longer line of a task comes out in pieces of this size */
};

/* What the daemon says of a task's output: a positive number is a count of bytes (pvmproto.h). */
enum job_output { JOB_OUTPUT_EOF = 0, JOB_OUTPUT_SPAWNED = -1, JOB_OUTPUT_NEW = -2 };

/* Takes whole lines. |close| (may be NULL) is called once, when the job ends. */
struct job_sink {
    void (*write)(void *context, const char *text, size_t length);
    void (*close)(void *context);
    void *context;
};

struct job_task {
    int tid;
    bool ended;            /* its end of file was seen */
    struct strbuf partial; /* text after the last newline */
};

struct job {
    struct list link; /* in job_set.list, by number */
    int number;
    struct job_sink sink;
    struct job_task *tasks;
    size_t task_count;
    size_t task_capacity;
};

struct job_set {
    struct list list;
    int last_number;
    struct job_sink screen; /* says when a job has finished */
};

void job_set_init(struct job_set *set, struct job_sink screen);
/* Forgets all jobs; partial lines are written out. */
void job_set_fini(struct job_set *set);
/* A job without tasks, owned by the set; |number| 0 is the next free one. NULL without memory (the
 * sink is not closed then). */
struct job *job_create(struct job_set *set, int number, struct job_sink sink);
struct job *job_find(const struct job_set *set, int number);
/* Ends |job| without a word: nothing was started. */
void job_discard(struct job *job);
/* Makes |tid| a task of |job|; known ones stay as they are. 0, or -1 without memory. */
int job_add_task(struct job *job, int tid);
/* One message about the output of |tid|: |op| as above, |bytes| for a positive one. A task not
 * heard of before joins the job: it was spawned by one of its tasks. Ends the job when all its
 * tasks have. Returns 0, or -1 without memory (output may be missing then). */
int job_output(struct job_set *set, struct job *job, int tid, int op, const char *bytes);
/* The tasks for which |gone| is true have no daemon any more: no end of file will come. */
void job_set_forget(struct job_set *set, bool (*gone)(int tid, int host_tid), int host_tid);
bool job_set_is_empty(const struct job_set *set);

#endif
