/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What all parts of the console share: its state, the commands' shape, waiting and printing.
 *
 * The console is an ordinary task: it knows pvm3.h and nothing else of PVM. Reading order: cmds.def
 * (every command), cmds.c (how a line becomes a call), main.c (how it starts and ends), wait.c.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include "console/alias.h"
#include "console/job.h"

#include <pvm3.h>
#include <stdbool.h>

/* Message tags of the console's own; the output of job n has CONSOLE_TAG_JOB + n. */
enum { CONSOLE_TAG_HOST_ADDED = 1, CONSOLE_TAG_HOST_GONE = 2, CONSOLE_TAG_JOB = 16 };

struct known_host {
    int tid;
    char *name;
};

struct console {
    int tid;
    bool terminal;   /* a person is there: the line editor or the terminal shows what is typed */
    bool leaving;    /* the command was the last: quit, halt, or no daemon any more */
    int exit_status; /* of the program, when leaving */
    struct alias_set aliases;
    struct job_set jobs;
    struct known_host *hosts; /* in the machine as far as was told, so that only news is told */
    size_t host_count;
    /* Set by the line editor while its prompt is on the screen, else NULL: takes the line being
     * typed off the screen before other text appears, and puts it back afterwards. */
    void (*line_hide)(void *editor);
    void (*line_show)(void *editor);
    void *editor;
    bool line_hidden;
};

/* ---- commands (cmds.def, cmds_*.c) ---- */

/* argv[0] is the command, argv[argc] NULL, the count has been checked. 0 = done as asked, 1 = not,
 * or not wholly; why was printed. */
typedef int (*command_f)(struct console *console, int argc, char **argv);

/* What `pvm COMMAND` needs before it runs; a console that is open has a daemon anyway. */
enum command_need {
    COMMAND_ALONE,  /* works without a daemon */
    COMMAND_DAEMON, /* a daemon must be there */
    COMMAND_START   /* a daemon is started when there is none */
};

/* What the words after the command are, for the completion of the line editor. */
enum command_words {
    WORDS_PLAIN,
    WORDS_COMMANDS,
    WORDS_HOSTS,
    WORDS_TASKS,
    WORDS_OPTIONS,
    WORDS_ALIASES,
    WORDS_PLACES /* -host and -ARCH of spawn */
};

struct command {
    const char *name;
    command_f function;
    int words_min; /* the command itself counted */
    int words_max;
    bool hidden; /* not in the list that help prints */
    enum command_need need;
    enum command_words words;
    const char *summary;
    const char *usage; /* lines, each with its newline */
};

extern const struct command command_table[];
extern const size_t command_count;

/* NULL when there is no such command. */
const struct command *command_find(const char *name);
/* Splits, replaces aliases, runs. 0 or 1 as a command; an empty line is 0. */
int console_run_line(struct console *console, const char *line);
/* Runs words that are split already. */
int console_run_words(struct console *console, int argc, char **argv);

/* ---- waiting (wait.c) ---- */

enum wait_result {
    WAIT_READABLE,    /* the descriptor has something to read, or is at its end */
    WAIT_IDLE,        /* no descriptor was given, and all jobs have finished */
    WAIT_INTERRUPTED, /* SIGINT */
    WAIT_TERMINATED,  /* SIGTERM, SIGHUP: signal_pending() says which */
    WAIT_LOST         /* the daemon is gone */
};

/* Signals are noted and end a wait. |interactive|: SIGINT is, too; otherwise it stays as it is. 0
 * or -1. */
int signals_init(bool interactive);
/* The signal that asks the program to end, or 0. */
int signal_pending(void);
/* Deals with messages until |fd| is readable; with |fd| -1 until no job is left. */
enum wait_result console_wait(struct console *console, int fd);
/* Deals with the messages that are there: 0, or -1 when the daemon is gone. */
int console_drain(struct console *console);

/* ---- messages (notice.c) ---- */

/* Asks to be told of hosts that come and go. */
void notice_init(struct console *console);
void notice_fini(struct console *console);
/* The hosts that are there now are no news. */
void notice_hosts_known(struct console *console);
/* That the host |name| goes will be no news. */
void notice_host_deleted(struct console *console, const char *name);
/* Message |mid| with |tag| from |source|, the active receive buffer. */
void notice_handle(struct console *console, int tag, int source);

/* ---- printing ---- */

/* Text that comes while a line may be being typed. */
void console_announce(struct console *console, const char *text, size_t length);
/* After console_announce(): lets the text out and puts back the typed line. */
void console_announced(struct console *console);
/* Text of a PVM result: "No such host". */
const char *pvm_text(int result);
/* The number of a task in hex, with or without t or 0x in front. -1 when |text| is no task id. */
int tid_parse(const char *text);
/* The name of the host of |host_tid| in |hosts|, "-" when it is not there. */
const char *host_name(const struct pvmhostinfo *hosts, int count, int host_tid);
/* The name of option |index| for setopt and getopt, NULL behind the last. */
const char *option_name(int index);

#endif
