/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Start of the console; see startup.h.
 */
#include "console/startup.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ENROL_TRIES = 10, ENROL_WAIT_NS = 100 * 1000 * 1000 };

static const char usage[] =
    "usage: pvm [-dMASK] [-nNAME] [HOSTFILE]\n"
    "       pvm [-dMASK] [-nNAME] COMMAND [ARGUMENT ...]\n"
    "\n"
    "The first form reads commands (type help); the second runs one. Both start a daemon\n"
    "when they need one and none is running; -d, -n and HOSTFILE are for that daemon.\n";

/* ---- arguments ---- */

static bool file_exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

static void arguments_read(struct startup *startup, int argc, char **argv)
{
    memset(startup, 0, sizeof(*startup));
    startup->daemon_argv = argv + 1;
    startup->daemon_argc = argc - 1;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-')
            continue;
        /* A hostfile that happens to be called "conf" keeps its meaning. */
        if (command_find(argv[i]) && !file_exists(argv[i])) {
            startup->daemon_argc = i - 1;
            startup->command_argc = argc - i;
            startup->command_argv = argv + i;
        }
        return;
    }
}

static bool word_asked(int argc, char **argv, const char *word)
{
    return argc == 2 && strcmp(argv[1], word) == 0;
}

/* Words given on the command line, wrong count and all, before any daemon is started for them. */
static bool command_fits(const struct startup *startup)
{
    const struct command *command = command_find(startup->command_argv[0]);
    const int count = startup->command_argc;
    if (count >= command->words_min && count <= command->words_max)
        return true;
    fprintf(stderr, "%s: wrong #args\n%s", command->name, command->usage);
    return false;
}

/* ---- the daemon ---- */

/* Before there is a daemon: no trace of ours goes anywhere, and nobody opens a connection to us. */
static void options_set(void)
{
    pvm_setopt(PvmResvTids, 1);
    pvm_setopt(PvmRoute, PvmDontRoute);
    pvm_setopt(PvmSelfTraceTid, -1);
}

/* 0; else a PVM error, said on stderr. */
static int daemon_start(const struct startup *startup, bool is_told)
{
    const int report = pvm_setopt(PvmAutoErr, 0);
    const int result = pvm_start_pvmd(startup->daemon_argc, startup->daemon_argv, 1);
    pvm_setopt(PvmAutoErr, report);
    if (result == PvmDupHost) {
        if (is_told)
            printf("pvmd already running.\n");
        fflush(stdout);
        return 0;
    }
    if (result < 0)
        pvm_perror((char *)"Console");
    return result < 0 ? result : 0;
}

static int enrol(struct console *console, bool is_quiet)
{
    const int report = pvm_setopt(PvmAutoErr, 0);
    console->tid = pvm_mytid();
    if (console->tid < 0 && !is_quiet)
        pvm_perror((char *)"Console");
    /* Our own output stays ours. NoReset keeps us alive through somebody's reset. */
    if (console->tid > 0) {
        pvm_setopt(PvmSelfOutputTid, -1);
        pvm_setopt(PvmSelfTraceTid, -1);
        pvm_setopt(PvmNoReset, 1);
        pvm_setopt(PvmTraceOptions, PvmTraceFull); /* enrolment sets it */
    }
    pvm_setopt(PvmAutoErr, report);
    return console->tid > 0 ? 0 : -1;
}

/* Starts a daemon if none runs, and enrols. One that was there a moment ago may be dying: then
 * another one of this machine will be found in its place, or a new one is started. */
static int connect_anyhow(const struct startup *startup, struct console *console, bool is_told)
{
    const struct timespec wait = {.tv_nsec = ENROL_WAIT_NS};
    for (int tries = 1;; tries++) {
        const bool is_last = tries == ENROL_TRIES;
        if (daemon_start(startup, is_told && tries == 1))
            return -1;
        if (enrol(console, !is_last) == 0)
            return 0;
        if (is_last)
            return -1;
        nanosleep(&wait, NULL);
    }
}

static bool is_unwanted_root(void)
{
    if (geteuid() != 0 || getenv("PVM_ALLOW_ROOT"))
        return false;
    fprintf(stderr,
            "pvm: not started: you are root. A virtual machine belongs to an ordinary user; "
            "set PVM_ALLOW_ROOT=1\nif you want one of root's all the same.\n");
    return true;
}

/* ---- start ---- */

static enum startup_result command_start(const struct startup *startup, struct console *console)
{
    const struct command *command = command_find(startup->command_argv[0]);
    if (!command_fits(startup))
        return STARTUP_FAILED;
    if (signals_init(false)) {
        perror("pvm");
        return STARTUP_FAILED;
    }
    if (command->need == COMMAND_ALONE)
        return STARTUP_READY;
    if (is_unwanted_root())
        return STARTUP_FAILED;
    options_set();
    if (command->need == COMMAND_START)
        return connect_anyhow(startup, console, false) == 0 ? STARTUP_READY : STARTUP_FAILED;
    if (enrol(console, command->need == COMMAND_DAEMON) == 0)
        return STARTUP_READY;
    if (command->need == COMMAND_DAEMON)
        fprintf(stderr, "pvm: no daemon is running\n");
    /* Nothing runs: just what halt is to achieve. */
    return str_equal(command->name, "halt") ? STARTUP_DONE : STARTUP_FAILED;
}

static enum startup_result console_start(const struct startup *startup, struct console *console)
{
    console->terminal = isatty(STDIN_FILENO) != 0;
    if (is_unwanted_root())
        return STARTUP_FAILED;
    options_set();
    if (connect_anyhow(startup, console, true))
        return STARTUP_FAILED;
    if (signals_init(true)) {
        perror("pvm");
        return STARTUP_FAILED;
    }
    return STARTUP_READY;
}

enum startup_result startup_run(struct startup *startup, struct console *console, int argc,
                                char **argv)
{
    if (word_asked(argc, argv, "--help")) {
        printf("%s", usage);
        return STARTUP_DONE;
    }
    if (word_asked(argc, argv, "--version")) {
        printf("pvm %s\n", pvm_version());
        return STARTUP_DONE;
    }
    arguments_read(startup, argc, argv);
    return startup->command_argc > 0 ? command_start(startup, console)
                                     : console_start(startup, console);
}
