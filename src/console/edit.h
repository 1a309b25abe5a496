/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The line editor of a terminal: editing, history, completion, and text that appears above the
 * line being typed. edit.c does it by libedit; without libedit edit_none.c says that there is
 * none, and lines are read as the terminal gives them (reader.h).
 */
#ifndef CONSOLE_EDIT_H
#define CONSOLE_EDIT_H

#include "console/console.h"

struct editor;

/* NULL when there is no editor, or the terminal is none that it can work with. */
struct editor *editor_create(struct console *console, const char *prompt);
void editor_destroy(struct editor *editor);
/* Prompts and reads a line. WAIT_READABLE: *line is set, without newline, valid until the next
 * call. WAIT_IDLE: end of input. Else why there is no line; after WAIT_INTERRUPTED what was typed
 * is gone. */
enum wait_result editor_line(struct editor *editor, const char **line);

#endif
