/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line of text to words, by the console's rules (CON-2): words are separated by blanks; " and
 * ' keep everything up to the same mark, backslashes too; elsewhere a backslash keeps the next
 * character; # at the start of a word begins a comment. Pure: no input or output. Aliases:
 * console/alias.h.
 */
#ifndef CONSOLE_LINE_H
#define CONSOLE_LINE_H

#include <stddef.h>

enum {
    LINE_WORDS_MAX = 127,
    LINE_BYTES_MAX = 65535 /* without the newline */
};

enum line_result {
    LINE_OK,
    LINE_UNMATCHED, /* a quote without its partner, or a backslash at the very end */
    LINE_TOO_LONG,  /* more than LINE_WORDS_MAX words */
    LINE_NO_MEMORY
};

/* Owned strings; word[count] is NULL. */
struct words {
    int count;
    char *word[LINE_WORDS_MAX + 1];
};

void words_init(struct words *words);
void words_fini(struct words *words);
/* Copies |text| to the end. LINE_OK, LINE_TOO_LONG or LINE_NO_MEMORY; nothing changed unless
 * LINE_OK. */
enum line_result words_add(struct words *words, const char *text);
/* The words from |first| on, with one blank between them; owned by the caller (mem_free), NULL
 * without memory. */
char *words_join(const struct words *words, int first);

/* Splits |line| into |words|, which is initialised here and left empty unless the result is
 * LINE_OK. *unmatched becomes the lonely mark for LINE_UNMATCHED. */
enum line_result line_split(const char *line, struct words *words, char *unmatched);

#endif
