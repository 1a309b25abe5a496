/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program pvm: its arguments, how it becomes a task, the loop over lines, how it ends (CON-1
 * to CON-3). Arguments that are no command go to the daemon that is started; see startup.h.
 */
#include "console/console.h"
#include "console/edit.h"
#include "console/reader.h"
#include "console/startup.h"

#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char prompt[] = "pvm> ";

static void screen_write(void *context, const char *text, size_t length)
{
    console_announce(context, text, length);
}

static void console_init(struct console *console)
{
    memset(console, 0, sizeof(*console));
    alias_set_init(&console->aliases);
    job_set_init(&console->jobs, (struct job_sink){screen_write, NULL, console});
}

static void console_fini(struct console *console)
{
    job_set_fini(&console->jobs);
    alias_set_fini(&console->aliases);
    notice_fini(console);
}

/* ---- lines ---- */

/* The commands of $HOME/.pvmrc, each shown before it runs. */
static void rc_run(struct console *console)
{
    char path[4096];
    char *line = NULL;
    size_t capacity = 0;
    const char *home = getenv("HOME");
    str_format(path, sizeof(path), "%s/.pvmrc", home ? home : ".");
    FILE *file = fopen(path, "r");
    if (!file)
        return;
    while (!console->leaving && getline(&line, &capacity, file) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        printf("%s\n", line);
        (void)console_run_line(console, line);
    }
    free(line);
    fclose(file);
}

/* Why there are no more lines: what to do about it. True when the loop goes on. */
static bool interruption_handle(struct console *console, enum wait_result result)
{
    static char quit[] = "quit";
    char *words[] = {quit, NULL};
    switch (result) {
    case WAIT_READABLE:
        return true;
    case WAIT_INTERRUPTED:
        return true;
    case WAIT_IDLE:
        printf("quit\n");
        console_run_words(console, 1, words);
        return false;
    case WAIT_LOST:
        printf("\n");
        fflush(stdout);
        fprintf(stderr, "pvm: the connection to the daemon is lost\n");
        console->exit_status = EXIT_FAILURE;
        return false;
    case WAIT_TERMINATED:
        return false;
    }
    return false;
}

static void loop_editor(struct console *console, struct editor *editor)
{
    while (!console->leaving) {
        const char *line = NULL;
        const enum wait_result result = editor_line(editor, &line);
        if (result == WAIT_READABLE)
            (void)console_run_line(console, line);
        else if (!interruption_handle(console, result))
            break;
    }
}

static enum wait_result plain_line(struct console *console, struct reader *reader, char **line)
{
    for (;;) {
        switch (reader_next(reader, line)) {
        case READER_LINE:
            return WAIT_READABLE;
        case READER_END:
            return WAIT_IDLE;
        case READER_TOO_LONG:
            printf("command too long\n%s", prompt);
            break;
        case READER_MORE: {
            fflush(stdout);
            const enum wait_result result = console_wait(console, reader->fd);
            if (result != WAIT_READABLE)
                return result;
            reader_fill(reader);
            break;
        }
        }
    }
}

static void loop_plain(struct console *console, struct reader *reader)
{
    while (!console->leaving) {
        char *line = NULL;
        printf("%s", prompt);
        fflush(stdout);
        (void)console_drain(console); /* its loss shows when the next command or wait fails */
        const enum wait_result result = plain_line(console, reader, &line);
        if (result != WAIT_READABLE) {
            if (result == WAIT_INTERRUPTED)
                printf("\n");
            if (!interruption_handle(console, result))
                break;
            continue;
        }
        if (!console->terminal)
            printf("%s\n", line);
        (void)console_run_line(console, line);
    }
}

static void loop(struct console *console)
{
    struct editor *editor = editor_create(console, prompt);
    if (editor) {
        loop_editor(console, editor);
        editor_destroy(editor); /* the terminal is as it was */
        return;
    }
    struct reader *reader = mem_alloc(sizeof(*reader));
    if (!reader) {
        fprintf(stderr, "pvm: no memory\n");
        console->exit_status = EXIT_FAILURE;
        return;
    }
    reader_init(reader, STDIN_FILENO);
    loop_plain(console, reader);
    mem_free(reader);
}

/* ---- the two ways to run ---- */

static void interactive(struct console *console)
{
    notice_init(console);
    rc_run(console);
    fflush(stdout);
    if (!console->leaving)
        loop(console);
}

/* `pvm COMMAND ARGUMENT...`: one command; output that was asked for is waited for. */
static void single(struct console *console, const struct startup *startup)
{
    console->exit_status = console_run_words(console, startup->command_argc, startup->command_argv);
    fflush(stdout);
    if (!console->leaving && !job_set_is_empty(&console->jobs) &&
        console_wait(console, -1) == WAIT_LOST) {
        fprintf(stderr, "pvm: the connection to the daemon is lost\n");
        console->exit_status = EXIT_FAILURE;
    }
}

/* Ends as the signal would have ended the program, so that its parent sees that. */
static void end_by_signal(int number)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    fflush(stdout);
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
    raise(number);
}

int main(int argc, char **argv)
{
    static struct console console;
    struct startup startup;
    console_init(&console);
    const enum startup_result result = startup_run(&startup, &console, argc, argv);
    if (result != STARTUP_READY)
        return result == STARTUP_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
    if (startup.command_argc > 0)
        single(&console, &startup);
    else
        interactive(&console);
    fflush(stdout);
    if (console.tid > 0 && !(console.leaving && signal_pending()))
        pvm_exit();
    console_fini(&console);
    if (!console.leaving && signal_pending())
        end_by_signal(signal_pending());
    return console.exit_status;
}
