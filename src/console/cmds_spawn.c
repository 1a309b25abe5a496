/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * spawn and jobs: tasks started from the console, and where their output goes (CON-16, CON-21).
 * The lines themselves are made in job.c; the messages arrive in notice.c.
 */
#include "console/cmds.h"
#include "console/spawnopts.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- sinks ---- */

static void file_write(void *context, const char *text, size_t length)
{
    FILE *file = context;
    fwrite(text, 1, length, file);
    fflush(file); /* somebody may be following the file */
}

static void file_close(void *context)
{
    fclose(context);
}

/* |sink| for what the options ask: 0, or -1 when the file cannot be written, said on stdout. */
static int sink_open(struct console *console, const struct spawn_options *options,
                     struct job_sink *sink)
{
    if (options->output == SPAWN_OUTPUT_CONSOLE) {
        *sink = console->jobs.screen;
        return 0;
    }
    /* O_APPEND in both cases: what others write to the same file meanwhile stays. */
    const int start = options->output == SPAWN_OUTPUT_FILE ? O_TRUNC : 0;
    const int fd = open(options->output_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | start,
                        0666);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "a");
    if (!file) {
        printf("%s: %s\n", options->output_file, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *sink = (struct job_sink){file_write, file_close, file};
    return 0;
}

/* ---- spawn ---- */

/* Where the output of tasks spawned from now on goes. */
struct output_route {
    int tid;
    int context;
    int code;
};

static struct output_route route_set(struct output_route route)
{
    struct output_route before;
    before.tid = pvm_setopt(PvmOutputTid, route.tid);
    before.context = pvm_setopt(PvmOutputContext, route.context);
    before.code = pvm_setopt(PvmOutputCode, route.code);
    return before;
}

static void route_restore(struct output_route before)
{
    /* Back to front: the code of a foreign sink may only be set while the sink is one's own. */
    pvm_setopt(PvmOutputCode, before.code);
    pvm_setopt(PvmOutputContext, before.context);
    pvm_setopt(PvmOutputTid, before.tid);
}

static int tasks_start(struct console *console, struct spawn_options *options, char **argv,
                       struct job *job, int *tids)
{
    struct output_route before = {0};
    if (job)
        before = route_set((struct output_route){console->tid, 0, CONSOLE_TAG_JOB + job->number});
    const int started = pvm_spawn(argv[options->first], argv + options->first + 1,
                                  options->flags | PvmNoSpawnParent, options->where, options->count,
                                  tids);
    if (job)
        route_restore(before);
    return started;
}

static int started_print(const struct spawn_options *options, int started, const int *tids)
{
    if (started < 0) {
        printf("spawn: %s\n", pvm_text(started));
        return 1;
    }
    printf("%d successful\n", started);
    for (int i = 0; i < options->count; i++) {
        if (tids[i] > 0)
            printf("t%x\n", (unsigned)tids[i]);
        else
            printf("%s\n", pvm_text(tids[i]));
    }
    return started != options->count;
}

static int job_start(struct console *console, struct spawn_options *options, char **argv, int *tids)
{
    struct job_sink sink;
    if (sink_open(console, options, &sink))
        return 1;
    struct job *job = job_create(&console->jobs, 0, sink);
    if (!job) {
        if (sink.close)
            sink.close(sink.context);
        printf("spawn: no memory\n");
        return 1;
    }
    printf("[%d]\n", job->number);
    fflush(stdout);
    const int started = tasks_start(console, options, argv, job, tids);
    const int status = started_print(options, started, tids);
    for (int i = 0; started > 0 && i < options->count; i++) {
        if (tids[i] > 0)
            (void)job_add_task(job, tids[i]); /* if not now, then with its first message */
    }
    if (started <= 0)
        job_discard(job);
    return status;
}

int command_spawn(struct console *console, int argc, char **argv)
{
    struct spawn_options options;
    char error[SPAWN_ERROR_BYTES_MAX];
    if (spawn_options_parse(argc, argv, &options, error)) {
        printf("spawn: %s\n", error);
        return 1;
    }
    if (options.first == argc) {
        printf("incorrect arg count\n");
        return 1;
    }
    int *tids = mem_calloc((size_t)options.count, sizeof(*tids));
    if (!tids) {
        printf("spawn: no memory for %d tasks\n", options.count);
        return 1;
    }
    int status;
    if (options.output == SPAWN_OUTPUT_NONE)
        status = started_print(&options, tasks_start(console, &options, argv, NULL, tids), tids);
    else
        status = job_start(console, &options, argv, tids);
    mem_free(tids);
    return status;
}

/* ---- jobs ---- */

static void job_print(const struct job *job)
{
    printf(" %d:", job->number);
    for (size_t i = 0; i < job->task_count; i++) {
        if (!job->tasks[i].ended)
            printf(" t%x", (unsigned)job->tasks[i].tid);
    }
    printf("\n");
}

static void job_print_long(const struct console *console, const struct job *job,
                           const struct pvmhostinfo *hosts, int host_count)
{
    printf(" %d:\n", job->number);
    for (size_t i = 0; i < job->task_count; i++) {
        struct pvmtaskinfo *task;
        int count;
        if (job->tasks[i].ended || pvm_tasks(job->tasks[i].tid, &count, &task) < 0 || count < 1)
            continue;
        task_row_print(console, hosts, host_count, task, false);
    }
}

int command_jobs(struct console *console, int argc, char **argv)
{
    const bool is_long = argc > 1 && strcmp(argv[1], "-l") == 0;
    struct pvmhostinfo *hosts = NULL;
    int host_count = 0;
    if (is_long) {
        if (pvm_config(&host_count, NULL, &hosts) < 0)
            host_count = 0;
        task_head_print(false);
    }
    LIST_EACH(node, next, &console->jobs.list) {
        const struct job *job = LIST_ENTRY(node, struct job, link);
        if (is_long)
            job_print_long(console, job, hosts, host_count);
        else
            job_print(job);
    }
    return 0;
}
