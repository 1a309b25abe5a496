/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the console begins: its arguments, a daemon (started or found), its own settings as a task
 * (CON-1).
 */
#ifndef CONSOLE_STARTUP_H
#define CONSOLE_STARTUP_H

#include "console/console.h"

struct startup {
    int daemon_argc; /* for a daemon that is started */
    char **daemon_argv;
    int command_argc; /* 0: commands are read from standard input */
    char **command_argv;
};

enum startup_result {
    STARTUP_READY,
    STARTUP_DONE,  /* all that was asked for has been done */
    STARTUP_FAILED /* why was said on stderr */
};

/* The first argument that is no option is a hostfile, or, where no file has that name, a command.
 * Fills |startup|, which points into |argv|, and makes |console| a task where the command needs
 * it. */
enum startup_result startup_run(struct startup *startup, struct console *console, int argc,
                                char **argv);

#endif
