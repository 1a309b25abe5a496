/* SPDX-License-Identifier: BSD-3-Clause */
/* Daemons being started elsewhere: see the header. */
#include "os/starter.h"

#include "base/check.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/str.h"
#include "os/command.h"

#include <string.h>

extern char **environ;

struct job {
    struct list link; /* in pending or running */
    struct starters *starters;
    uint64_t ticket;
    char host[256];
    char **argv;
    char **environment;
    struct command *command; /* NULL while pending */
    bool done;               /* answered, failed or cancelled: nothing more is said */
    bool is_counted;         /* among those that are waited for */
    char last_error[512];    /* last line of stderr */
};

struct starters {
    struct loop *loop;
    struct pid_watcher *watcher;
    const struct log_sink *log;
    struct starter_handler handler;
    struct list pending;
    struct list running;
    size_t waited_count; /* of those running: without an answer so far */
    struct loop_timer *kick; /* begins jobs from the loop, never from inside a caller */
};

/* ---- lists of words ---- */

int word_list_add(struct word_list *list, const char *word)
{
    if (mem_grow((void **)&list->words, &list->capacity, list->count + 2, sizeof(char *)) < 0)
        return -1;
    list->words[list->count] = mem_strdup(word);
    if (!list->words[list->count])
        return -1;
    list->words[++list->count] = NULL;
    return 0;
}

void word_list_free(char **words)
{
    for (size_t i = 0; words && words[i]; i++)
        mem_free(words[i]);
    mem_free(words);
}

/* ---- jobs ---- */

static void kick(struct starters *starters)
{
    loop_timer_set(starters->kick, 0);
}

/* It gives its place to the next. The command may run on: as long as its daemon is held. */
static void job_done(struct job *job)
{
    job->done = true;
    if (job->is_counted) {
        job->is_counted = false;
        job->starters->waited_count--;
        kick(job->starters);
    }
}

static void job_free(struct job *job)
{
    list_remove(&job->link);
    command_destroy(job->command);
    word_list_free(job->argv);
    word_list_free(job->environment);
    mem_free(job);
}

static void job_line(void *context, enum command_stream stream, const char *line)
{
    struct job *job = context;
    struct starters *starters = job->starters;
    if (stream == COMMAND_ERRORS) {
        str_copy(job->last_error, sizeof(job->last_error), line);
        log_line(starters->log, LOG_LEVEL_INFO, "stderr@%s: %s", job->host, line);
        return;
    }
    if (!job->done && starters->handler.line(starters->handler.context, job->ticket, line)) {
        job_done(job);
        command_no_limit(job->command);
    } else {
        log_line(starters->log, LOG_LEVEL_INFO, "stdout@%s: %s", job->host, line);
    }
}

static void job_fail(struct job *job, const char *how)
{
    struct starters *starters = job->starters;
    char words[STARTER_WORDS_BYTES];
    if (job->done)
        return;
    job_done(job);
    str_format(words, sizeof(words), "host \"%s\": %s %s%s%s", job->host, job->argv[0], how,
               job->last_error[0] ? ": " : "", job->last_error);
    starters->handler.failed(starters->handler.context, job->ticket, words);
}

static void job_ended(void *context, int wait_status, bool timed_out)
{
    struct job *job = context;
    struct starters *starters = job->starters;
    char how[128];
    command_status_text(wait_status, how, sizeof(how));
    if (timed_out)
        str_format(how, sizeof(how), "gave no answer for %d s",
                   (int)(STARTER_LIMIT_NS / UINT64_C(1000000000)));
    else if (wait_status == 0)
        str_copy(how, sizeof(how), "ended without the answer of a new pvmd");
    starters->handler.process(starters->handler.context, command_pid(job->command), false);
    job->command = NULL; /* it frees itself after this */
    job_fail(job, how);
    job_free(job);
}

static void job_begin(struct job *job)
{
    struct starters *starters = job->starters;
    struct command_handler handler = {.context = job, .line = job_line, .ended = job_ended};
    int failure;
    job->command = command_start(starters->loop, starters->watcher, job->argv,
                                 job->environment ? job->environment : environ, STARTER_LIMIT_NS,
                                 &handler, &failure);
    if (!job->command) {
        char how[256];
        str_format(how, sizeof(how), "cannot be started: %s", strerror(failure));
        job_fail(job, how);
        job_free(job);
        return;
    }
    list_remove(&job->link);
    list_push_back(&starters->running, &job->link);
    job->is_counted = true;
    starters->waited_count++;
    starters->handler.process(starters->handler.context, command_pid(job->command), true);
}

static void begin_pending(void *context)
{
    struct starters *starters = context;
    while (!list_is_empty(&starters->pending) && starters->waited_count < STARTERS_AT_ONCE_MAX)
        job_begin(LIST_ENTRY(list_first(&starters->pending), struct job, link));
}

/* ---- the queue ---- */

struct starters *starters_create(struct loop *loop, struct pid_watcher *watcher,
                                 const struct log_sink *log, const struct starter_handler *handler)
{
    struct starters *starters = mem_calloc(1, sizeof(*starters));
    if (!starters)
        return NULL;
    *starters = (struct starters){
        .loop = loop, .watcher = watcher, .log = log, .handler = *handler};
    list_init(&starters->pending);
    list_init(&starters->running);
    starters->kick = loop_timer_open(loop, begin_pending, starters);
    if (!starters->kick) {
        mem_free(starters);
        return NULL;
    }
    return starters;
}

void starters_destroy(struct starters *starters)
{
    if (!starters)
        return;
    LIST_EACH(pos, following, &starters->pending)
    job_free(LIST_ENTRY(pos, struct job, link));
    LIST_EACH(pos, following, &starters->running)
    job_free(LIST_ENTRY(pos, struct job, link));
    loop_timer_close(starters->kick);
    mem_free(starters);
}

int starters_add(struct starters *starters, uint64_t ticket, const char *host, char **argv,
                 char **environment)
{
    struct job *job = mem_calloc(1, sizeof(*job));
    if (!job) {
        word_list_free(argv);
        word_list_free(environment);
        return -1;
    }
    job->starters = starters;
    job->ticket = ticket;
    job->argv = argv;
    job->environment = environment;
    str_copy(job->host, sizeof(job->host), host);
    list_push_back(&starters->pending, &job->link);
    kick(starters);
    return 0;
}

static struct job *job_find(struct list *jobs, uint64_t ticket)
{
    LIST_EACH(pos, following, jobs)
    {
        struct job *job = LIST_ENTRY(pos, struct job, link);
        if (job->ticket == ticket)
            return job;
    }
    return NULL;
}

void starters_cancel(struct starters *starters, uint64_t ticket)
{
    struct job *job = job_find(&starters->pending, ticket);
    if (job) {
        job_free(job);
        return;
    }
    job = job_find(&starters->running, ticket);
    if (job) {
        job_done(job);
        if (job->command) /* else it has just ended by itself, which is why we are called */
            command_kill(job->command);
    }
}
