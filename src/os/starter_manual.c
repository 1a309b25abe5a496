/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting by hand: see the header. */
#include "os/starter_manual.h"

#include "base/list.h"
#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_BYTES_MAX = 4096 };

struct manual_job {
    struct list link;
    uint64_t ticket;
    char *host;
    char *command;
};

struct manual {
    struct loop *loop;
    struct manual_handler handler;
    struct list jobs; /* the first is being asked for */
    struct loop_timer *kick;
    struct loop_watch *watch; /* of stdin while a question is open */
    size_t length;
    char answer[ANSWER_BYTES_MAX];
};

static void job_free(struct manual_job *job)
{
    list_remove(&job->link);
    mem_free(job->host);
    mem_free(job->command);
    mem_free(job);
}

static void question_close(struct manual *manual)
{
    loop_watch_close(manual->watch);
    manual->watch = NULL;
    manual->length = 0;
    loop_timer_set(manual->kick, 0);
}

static void question_end(struct manual *manual, const char *words)
{
    struct manual_job *job = LIST_ENTRY(list_first(&manual->jobs), struct manual_job, link);
    uint64_t ticket = job->ticket;
    char line[ANSWER_BYTES_MAX];
    str_copy(line, sizeof(line), words ? words : manual->answer);
    job_free(job);
    question_close(manual);
    if (words) {
        manual->handler.failed(manual->handler.context, ticket, line);
        return;
    }
    fprintf(stderr, "Thanks\n");
    manual->handler.line(manual->handler.context, ticket, line);
}

static void stdin_ready(void *context, int events)
{
    struct manual *manual = context;
    (void)events;
    char *end = manual->answer + manual->length;
    ssize_t got = read(STDIN_FILENO, end, sizeof(manual->answer) - 1 - manual->length);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        question_end(manual, "manual start: no line could be read from standard input");
        return;
    }
    manual->length += (size_t)got;
    manual->answer[manual->length] = '\0';
    char *newline = strchr(manual->answer, '\n');
    if (newline)
        *newline = '\0';
    if (newline || manual->length + 1 == sizeof(manual->answer))
        question_end(manual, NULL);
}

static void ask(void *context)
{
    struct manual *manual = context;
    if (manual->watch || list_is_empty(&manual->jobs))
        return;
    const struct manual_job *job = LIST_ENTRY(list_first(&manual->jobs), struct manual_job, link);
    fprintf(stderr,
            "*** Manual startup ***\nLogin to \"%s\" and type:\n%s\nType response: ", job->host,
            job->command);
    manual->watch = loop_watch_open(manual->loop, STDIN_FILENO, stdin_ready, manual);
    if (!manual->watch) {
        question_end(manual, "manual start (so=ms) needs a pvmd that was started in a terminal");
        return;
    }
    loop_watch_set(manual->watch, LOOP_READABLE);
}

struct manual *manual_create(struct loop *loop, const struct manual_handler *handler)
{
    struct manual *manual = mem_calloc(1, sizeof(*manual));
    if (!manual)
        return NULL;
    manual->loop = loop;
    manual->handler = *handler;
    list_init(&manual->jobs);
    manual->kick = loop_timer_open(loop, ask, manual);
    if (!manual->kick) {
        mem_free(manual);
        return NULL;
    }
    return manual;
}

void manual_destroy(struct manual *manual)
{
    if (!manual)
        return;
    LIST_EACH(pos, following, &manual->jobs)
    job_free(LIST_ENTRY(pos, struct manual_job, link));
    loop_watch_close(manual->watch);
    loop_timer_close(manual->kick);
    mem_free(manual);
}

int manual_add(struct manual *manual, uint64_t ticket, const char *host, const char *command)
{
    struct manual_job *job = mem_calloc(1, sizeof(*job));
    if (!job)
        return -1;
    list_init(&job->link);
    job->ticket = ticket;
    job->host = mem_strdup(host);
    job->command = mem_strdup(command);
    if (!job->host || !job->command) {
        job_free(job);
        return -1;
    }
    list_push_back(&manual->jobs, &job->link);
    loop_timer_set(manual->kick, 0);
    return 0;
}

void manual_cancel(struct manual *manual, uint64_t ticket)
{
    LIST_EACH(pos, following, &manual->jobs)
    {
        struct manual_job *job = LIST_ENTRY(pos, struct manual_job, link);
        if (job->ticket != ticket)
            continue;
        bool is_asked = pos == list_first(&manual->jobs) && manual->watch;
        job_free(job);
        if (is_asked)
            question_close(manual);
        return;
    }
}
