/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes what the console makes of typed text: words, aliases (lines before the last that read
 * "name=words" define some), options of spawn, and pieces of job output. Checks the promises of the
 * headers, besides what the sanitizers see.
 */
#include "base/check.h"
#include "base/mem.h"
#include "console/alias.h"
#include "console/job.h"
#include "console/line.h"
#include "console/spawnopts.h"

#include <string.h>

static size_t written_bytes;

static void sink_write(void *context, const char *text, size_t length)
{
    CHECK(length > 0 && text[length - 1] == '\n'); /* whole lines only */
    written_bytes += length;
}

static void words_check(const struct words *words, size_t line_bytes)
{
    size_t bytes = 0;
    CHECK(words->count >= 0 && words->count <= LINE_WORDS_MAX);
    CHECK(words->word[words->count] == NULL);
    for (int i = 0; i < words->count; i++)
        bytes += strlen(words->word[i]);
    CHECK(bytes <= line_bytes);
    char *text = words_join(words, 0);
    CHECK(text && strlen(text) == bytes + (words->count > 1 ? (size_t)words->count - 1 : 0));
    mem_free(text);
}

static void alias_feed(struct alias_set *aliases, char *line)
{
    struct words words;
    char mark;
    char *equals = strchr(line, '=');
    if (!equals)
        return;
    *equals = '\0';
    if (line_split(equals + 1, &words, &mark) != LINE_OK)
        return;
    if (words.count > 0) {
        CHECK(alias_define(aliases, line, words.word, words.count) == ALIAS_OK);
        CHECK(alias_find(aliases, line)->words.count == words.count);
    }
    words_fini(&words);
}

static void line_feed(const struct alias_set *aliases, const char *line)
{
    struct words words;
    struct spawn_options options;
    char error[SPAWN_ERROR_BYTES_MAX] = "";
    char mark = '\0';
    const enum line_result result = line_split(line, &words, &mark);
    if (result != LINE_OK) {
        CHECK(words.count == 0);
        CHECK((result == LINE_UNMATCHED) == (mark != '\0'));
        return;
    }
    words_check(&words, strlen(line));
    if (words.count > 0) {
        if (spawn_options_parse(words.count, words.word, &options, error) == 0)
            CHECK(options.count >= 1 && options.first >= 1 && options.first <= words.count);
        else
            CHECK(error[0]);
        (void)alias_expand(aliases, &words);
        CHECK(words.count <= LINE_WORDS_MAX);
    }
    words_fini(&words);
}

/* The same text as output of two tasks, cut into pieces by its own bytes. */
static void job_feed(const char *text, size_t length)
{
    struct job_set set;
    const struct job_sink sink = {sink_write, NULL, NULL};
    job_set_init(&set, sink);
    struct job *job = job_create(&set, 0, sink);
    written_bytes = 0;
    for (size_t at = 0; at < length;) {
        const size_t piece = 1 + (unsigned char)text[at] % 16;
        const size_t part = MIN_OF(piece, length - at);
        CHECK(job_output(&set, job, 1 + (text[at] & 1), (int)part, text + at) == 0);
        at += part;
    }
    job_add_task(job, 1);
    job_output(&set, job, 2, JOB_OUTPUT_NEW, NULL);
    job_output(&set, job, 1, JOB_OUTPUT_EOF, NULL);
    job_output(&set, job, 2, JOB_OUTPUT_EOF, NULL);
    CHECK(job_set_is_empty(&set) && written_bytes >= length);
    job_set_fini(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct alias_set aliases;
    char *text = mem_strndup((const char *)bytes, size);
    if (!text)
        return 0;
    job_feed((const char *)bytes, size);
    alias_set_init(&aliases);
    for (char *line = text; line;) {
        char *newline = strchr(line, '\n');
        if (newline)
            *newline = '\0';
        line_feed(&aliases, line);
        if (newline)
            alias_feed(&aliases, line);
        line = newline ? newline + 1 : NULL;
    }
    alias_set_fini(&aliases);
    mem_free(text);
    return 0;
}
