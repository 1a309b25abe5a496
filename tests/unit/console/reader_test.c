/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * src/console/reader.c: lines out of a pipe, however the bytes arrive.
 */
#include "console/reader.h"

#include "tap.h"

#include <unistd.h>

static struct reader reader;
static int ends[2];

static void begin(void)
{
    if (pipe(ends))
        OK(0, "a pipe");
    reader_init(&reader, ends[0]);
}

static void finish(void)
{
    close(ends[0]);
}

static void put(const char *text)
{
    OK(write(ends[1], text, strlen(text)) == (ssize_t)strlen(text), "bytes are written");
    reader_fill(&reader);
}

static void lines_in_pieces(void)
{
    char *line = NULL;
    begin();
    EQUAL(reader_next(&reader, &line), READER_MORE, "nothing yet");
    put("one\ntw");
    EQUAL(reader_next(&reader, &line), READER_LINE, "a line");
    SAME_TEXT(line, "one", "without its newline");
    EQUAL(reader_next(&reader, &line), READER_MORE, "half a line waits");
    put("o\n\n");
    EQUAL(reader_next(&reader, &line), READER_LINE, "the other half");
    SAME_TEXT(line, "two", "is put behind");
    EQUAL(reader_next(&reader, &line), READER_LINE, "an empty line");
    SAME_TEXT(line, "", "is one");
    close(ends[1]);
    reader_fill(&reader);
    EQUAL(reader_next(&reader, &line), READER_END, "the end");
    finish();
}

static void last_line_needs_no_newline(void)
{
    char *line = NULL;
    begin();
    put("id\nlast");
    close(ends[1]);
    reader_fill(&reader);
    reader_next(&reader, &line);
    EQUAL(reader_next(&reader, &line), READER_LINE, "the last line");
    SAME_TEXT(line, "last", "is whole, with nothing stale behind it");
    EQUAL(reader_next(&reader, &line), READER_END, "then the end");
    finish();
}

static void too_long_a_line_is_dropped(void)
{
    static char text[16384];
    char *line = NULL;
    enum reader_result result = READER_MORE;
    memset(text, 'x', sizeof(text) - 1);
    begin();
    for (int i = 0; i < 5; i++) {
        put(text);
        result = reader_next(&reader, &line);
        EQUAL(result, READER_MORE, "no line yet");
    }
    put("tail\nid\n");
    EQUAL(reader_next(&reader, &line), READER_TOO_LONG, "over the limit");
    EQUAL(reader_next(&reader, &line), READER_LINE, "the next line");
    SAME_TEXT(line, "id", "is not touched");
    close(ends[1]);
    finish();
}

static void longest_line_is_taken(void)
{
    static char text[LINE_BYTES_MAX + 2];
    char *line = NULL;
    memset(text, 'x', LINE_BYTES_MAX);
    text[LINE_BYTES_MAX] = '\n';
    begin();
    put(text);
    EQUAL(reader_next(&reader, &line), READER_LINE, "of just the limit");
    EQUAL(strlen(line), LINE_BYTES_MAX, "is whole");
    close(ends[1]);
    finish();
}

int main(void)
{
    TEST(lines_in_pieces);
    TEST(last_line_needs_no_newline);
    TEST(too_long_a_line_is_dropped);
    TEST(longest_line_is_taken);
    return tap_done();
}
