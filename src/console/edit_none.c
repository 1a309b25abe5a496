/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In place of edit.c where the console is built without libedit.
 */
#include "console/edit.h"

struct editor *editor_create(struct console *console, const char *prompt)
{
    return NULL;
}

void editor_destroy(struct editor *editor)
{
}

enum wait_result editor_line(struct editor *editor, const char **line)
{
    return WAIT_IDLE;
}
