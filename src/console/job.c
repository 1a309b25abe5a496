/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The jobs of the console and the shape of their lines; see job.h. A job ends when every task in
 * it has reached the end of its output. The daemon tells of a new task before its parent's end of
 * file, so a job with a living descendant is never taken for finished.
 */
#include "console/job.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

void job_set_init(struct job_set *set, struct job_sink screen)
{
    list_init(&set->list);
    set->last_number = 0;
    set->screen = screen;
}

struct job *job_create(struct job_set *set, int number, struct job_sink sink)
{
    struct job *job = mem_calloc(1, sizeof(*job));
    if (!job)
        return NULL;
    job->number = number ? number : ++set->last_number;
    job->sink = sink;
    list_push_back(&set->list, &job->link);
    return job;
}

struct job *job_find(const struct job_set *set, int number)
{
    LIST_EACH(node, next, &set->list) {
        struct job *job = LIST_ENTRY(node, struct job, link);
        if (job->number == number)
            return job;
    }
    return NULL;
}

void job_discard(struct job *job)
{
    list_remove(&job->link);
    for (size_t i = 0; i < job->task_count; i++)
        strbuf_fini(&job->tasks[i].partial);
    if (job->sink.close)
        job->sink.close(job->sink.context);
    mem_free(job->tasks);
    mem_free(job);
}

static struct job_task *task_find(struct job *job, int tid)
{
    for (size_t i = 0; i < job->task_count; i++) {
        if (job->tasks[i].tid == tid)
            return &job->tasks[i];
    }
    return NULL;
}

int job_add_task(struct job *job, int tid)
{
    if (task_find(job, tid))
        return 0;
    void *tasks = job->tasks;
    if (mem_grow(&tasks, &job->task_capacity, job->task_count + 1, sizeof(*job->tasks)))
        return -1;
    job->tasks = tasks;
    struct job_task *task = &job->tasks[job->task_count++];
    task->tid = tid;
    task->ended = false;
    strbuf_init(&task->partial);
    return 0;
}

/* One line, in one piece, so that a file opened for appending keeps lines whole. */
static int line_write(struct job *job, int tid, const char *text, size_t length)
{
    struct strbuf line;
    strbuf_init(&line);
    strbuf_addf(&line, "[%d:t%x] ", job->number, (unsigned)tid);
    strbuf_add(&line, text, length);
    strbuf_add(&line, "\n", 1);
    const int failed = line.failed;
    if (!failed)
        job->sink.write(job->sink.context, line.text, line.length);
    strbuf_fini(&line);
    return failed ? -1 : 0;
}

static int partial_flush(struct job *job, struct job_task *task)
{
    const int failed = line_write(job, task->tid, strbuf_text(&task->partial),
                                  task->partial.length);
    strbuf_fini(&task->partial);
    strbuf_init(&task->partial);
    return failed;
}

static int text_take(struct job *job, struct job_task *task, const char *bytes, size_t length)
{
    int failed = 0;
    while (length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        const size_t whole = newline ? (size_t)(newline - bytes) : length;
        const size_t room = JOB_LINE_BYTES_MAX - task->partial.length;
        const size_t part = MIN_OF(whole, room);
        strbuf_add(&task->partial, bytes, part);
        failed |= task->partial.failed;
        const bool at_newline = newline && part == whole;
        if (at_newline || part == room)
            failed |= partial_flush(job, task);
        bytes += part + at_newline;
        length -= part + at_newline;
    }
    return failed ? -1 : 0;
}

static int task_end(struct job *job, struct job_task *task)
{
    if (task->ended)
        return 0;
    int failed = 0;
    if (task->partial.length > 0)
        failed |= partial_flush(job, task);
    task->ended = true;
    return line_write(job, task->tid, "EOF", 3) | failed;
}

/* Ends |job| if it has come to its end. */
static void job_settle(struct job_set *set, struct job *job)
{
    for (size_t i = 0; i < job->task_count; i++) {
        if (!job->tasks[i].ended)
            return;
    }
    char text[64];
    const size_t length = str_format(text, sizeof(text), "[%d] finished\n", job->number);
    job_discard(job);
    set->screen.write(set->screen.context, text, length);
}

int job_output(struct job_set *set, struct job *job, int tid, int op, const char *bytes)
{
    int failed = job_add_task(job, tid);
    struct job_task *task = task_find(job, tid);
    if (!task)
        return -1;
    if (op > 0)
        failed |= text_take(job, task, bytes, (size_t)op);
    if (op == JOB_OUTPUT_EOF) {
        failed |= task_end(job, task);
        job_settle(set, job);
    }
    return failed;
}

void job_set_forget(struct job_set *set, bool (*gone)(int tid, int host_tid), int host_tid)
{
    LIST_EACH(node, next, &set->list) {
        struct job *job = LIST_ENTRY(node, struct job, link);
        for (size_t i = 0; i < job->task_count; i++) {
            if (gone(job->tasks[i].tid, host_tid))
                (void)task_end(job, &job->tasks[i]);
        }
        job_settle(set, job);
    }
}

void job_set_fini(struct job_set *set)
{
    LIST_EACH(node, next, &set->list) {
        struct job *job = LIST_ENTRY(node, struct job, link);
        for (size_t i = 0; i < job->task_count; i++) {
            if (job->tasks[i].partial.length > 0)
                (void)partial_flush(job, &job->tasks[i]);
        }
        job_discard(job);
    }
}

bool job_set_is_empty(const struct job_set *set)
{
    return list_is_empty(&set->list);
}
