/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the word being typed could become. Pure but for asking the machine for its hosts and tasks.
 */
#ifndef CONSOLE_COMPLETE_H
#define CONSOLE_COMPLETE_H

#include "console/console.h"

enum { COMPLETE_WORD_BYTES_MAX = 256 };

struct candidates {
    size_t count;
    size_t capacity;
    char **words; /* owned; those that begin with what is typed */
};

/* The candidates for the last word of |line|, which ends at the cursor; *typed gets the length of
 * the part of it that is there. A line inside quotes has none. */
void complete(const struct console *console, const char *line, struct candidates *candidates,
              size_t *typed);
void candidates_fini(struct candidates *candidates);
/* Length of the longest beginning that all have in common. */
size_t candidates_common(const struct candidates *candidates);

#endif
