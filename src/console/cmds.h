/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The functions behind the commands, declared from cmds.def. They are written in cmds_*.c by
 * subject: hosts, tasks, mailboxes, spawn and jobs, environment and options, the program itself.
 */
#ifndef CONSOLE_CMDS_H
#define CONSOLE_CMDS_H

#include "console/console.h"

#define ANY LINE_WORDS_MAX
#define COMMAND(name, function, min, max, listed, need, words, summary, usage)                     \
    int function(struct console *console, int argc, char **argv);
#define COMMAND_LATER(...)
#include "console/cmds.def"
#undef COMMAND
#undef COMMAND_LATER

int command_later(struct console *console, int argc, char **argv);
/* The table of |jobs -l| and ps: one head, then rows. */
void task_head_print(bool is_long);
void task_row_print(const struct console *console, const struct pvmhostinfo *hosts, int host_count,
                    const struct pvmtaskinfo *task, bool is_long);

#endif
