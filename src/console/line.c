/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Splitting of command lines; the rules are in line.h. No expansion of any kind happens here:
 * aliases are words for words (alias.c), variables do not exist.
 */
#include "console/line.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

void words_init(struct words *words)
{
    words->count = 0;
    words->word[0] = NULL;
}

void words_fini(struct words *words)
{
    for (int i = 0; i < words->count; i++)
        mem_free(words->word[i]);
    words_init(words);
}

enum line_result words_add(struct words *words, const char *text)
{
    if (words->count == LINE_WORDS_MAX)
        return LINE_TOO_LONG;
    char *copy = mem_strdup(text);
    if (!copy)
        return LINE_NO_MEMORY;
    words->word[words->count++] = copy;
    words->word[words->count] = NULL;
    return LINE_OK;
}

char *words_join(const struct words *words, int first)
{
    size_t size_bytes = 1;
    for (int i = first; i < words->count; i++)
        size_bytes += strlen(words->word[i]) + 1;
    char *text = mem_alloc(size_bytes);
    if (!text)
        return NULL;
    size_t used = 0;
    for (int i = first; i < words->count; i++) {
        const size_t length = strlen(words->word[i]);
        if (i > first)
            text[used++] = ' ';
        memcpy(text + used, words->word[i], length);
        used += length;
    }
    text[used] = '\0';
    return text;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

/* Reads one word at *at into |word| (room for the rest of the line) and moves *at behind it.
 * Returns the lonely mark, or 0. */
static char word_read(const char **at, char *word)
{
    const char *from = *at;
    while (*from && !is_blank(*from)) {
        const char mark = *from;
        if (mark == '"' || mark == '\'') {
            const char *end = strchr(from + 1, mark);
            if (!end)
                return mark;
            const size_t length = (size_t)(end - from) - 1;
            memcpy(word, from + 1, length);
            word += length;
            from = end + 1;
            continue;
        }
        if (mark == '\\' && *++from == '\0')
            return mark;
        *word++ = *from++;
    }
    *word = '\0';
    *at = from;
    return 0;
}

static enum line_result words_read(const char *line, char *scratch, struct words *words,
                                   char *unmatched)
{
    for (;;) {
        while (is_blank(*line))
            line++;
        if (*line == '\0' || *line == '#')
            return LINE_OK;
        const char mark = word_read(&line, scratch);
        if (mark) {
            *unmatched = mark;
            return LINE_UNMATCHED;
        }
        const enum line_result result = words_add(words, scratch);
        if (result != LINE_OK)
            return result;
    }
}

enum line_result line_split(const char *line, struct words *words, char *unmatched)
{
    words_init(words);
    char *scratch = mem_alloc(strlen(line) + 1);
    if (!scratch)
        return LINE_NO_MEMORY;
    const enum line_result result = words_read(line, scratch, words, unmatched);
    mem_free(scratch);
    if (result != LINE_OK)
        words_fini(words);
    return result;
}
