/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * src/console/line.c: what becomes of quotes, backslashes, comments, and of lines that are wrong.
 */
#include "console/line.h"

#include "base/mem.h"
#include "tap.h"

#include <stdlib.h>

/* Puts |more| behind what is in the array |text|. */
#define APPEND(text, more)                                                                         \
    ((void)snprintf((text) + strlen(text), sizeof(text) - strlen(text), "%s", more))

/* The words of |line| between bars: "|echo|a b|". Or what is wrong with it. */
static const char *split(const char *line)
{
    static char text[4096];
    struct words words;
    char mark = '?';
    const enum line_result result = line_split(line, &words, &mark);
    if (result == LINE_UNMATCHED) {
        snprintf(text, sizeof(text), "unmatched %c", mark);
        return text;
    }
    if (result != LINE_OK)
        return result == LINE_TOO_LONG ? "too long" : "no memory";
    strcpy(text, "|");
    for (int i = 0; i < words.count; i++) {
        APPEND(text, words.word[i]);
        APPEND(text, "|");
    }
    if (words.word[words.count])
        strcpy(text, "the list has no end");
    words_fini(&words);
    return text;
}

static void words_are_split_at_blanks(void)
{
    SAME_TEXT(split(""), "|", "an empty line has no words");
    SAME_TEXT(split(" \t "), "|", "nor have blanks");
    SAME_TEXT(split("conf"), "|conf|", "one word");
    SAME_TEXT(split("  echo\ta  b "), "|echo|a|b|", "blanks and tabs separate");
    SAME_TEXT(split("conf\r"), "|conf|", "a carriage return is a blank");
}

static void quotes_keep_everything(void)
{
    SAME_TEXT(split("add \"h1 sp=5\""), "|add|h1 sp=5|", "double quotes");
    SAME_TEXT(split("echo 'a \"b\" c'"), "|echo|a \"b\" c|", "single quotes keep double ones");
    SAME_TEXT(split("echo ''  \"\""), "|echo|||", "empty quotes are empty words");
    SAME_TEXT(split("a'b c'd\"e\"f"), "|ab cdef|", "quotes join what they touch");
    SAME_TEXT(split("\"a\\\"b\" 'c\\d' \"e\\f\" g\\\"h"), "|a\\b 'c\\d' ef g\\h|",
              "no backslash works inside quotes");
}

static void backslash_keeps_one_character(void)
{
    SAME_TEXT(split("g\\ h"), "|g h|", "a blank");
    SAME_TEXT(split("\\#x \\\\ \\'"), "|#x|\\|'|", "a mark");
    SAME_TEXT(split("echo abc\\"), "unmatched \\", "at the end of the line it is alone");
}

static void comments_begin_a_word(void)
{
    SAME_TEXT(split("# conf"), "|", "a whole line");
    SAME_TEXT(split("echo a#b c #d e"), "|echo|a#b|c|", "only at the start of a word");
    SAME_TEXT(split("echo '#a' # '"), "|echo|#a|", "quotes in comments are not read");
}

static void wrong_lines_say_what_is_wrong(void)
{
    SAME_TEXT(split("echo 'abc"), "unmatched '", "an open single quote");
    SAME_TEXT(split("echo a\" b"), "unmatched \"", "an open double quote");
    SAME_TEXT(split("'"), "unmatched '", "nothing but a quote");
}

static void number_of_words_is_limited(void)
{
    char line[2 * LINE_WORDS_MAX + 3] = "";
    struct words words;
    char mark;
    for (int i = 0; i < LINE_WORDS_MAX; i++)
        APPEND(line, "w ");
    EQUAL(line_split(line, &words, &mark), LINE_OK, "127 words are taken");
    EQUAL(words.count, LINE_WORDS_MAX, "all of them");
    words_fini(&words);
    APPEND(line, "w");
    SAME_TEXT(split(line), "too long", "128 are not");
}

static void words_can_be_joined(void)
{
    struct words words;
    char mark;
    line_split("a 'b c' d", &words, &mark);
    char *text = words_join(&words, 1);
    SAME_TEXT(text, "b c d", "with one blank between");
    mem_free(text);
    text = words_join(&words, 3);
    SAME_TEXT(text, "", "no words are an empty text");
    mem_free(text);
    words_fini(&words);
}

static void no_memory_leaves_nothing(void)
{
    struct words words;
    char mark;
    for (uint64_t nth = 1; nth <= 4; nth++) {
        mem_fail_at(nth, 1);
        const enum line_result result = line_split("a b c", &words, &mark);
        mem_fail_at(0, 0);
        EQUAL(result, LINE_NO_MEMORY, "is told");
        EQUAL(words.count, 0, "and the words are empty");
    }
}

int main(void)
{
    TEST(words_are_split_at_blanks);
    TEST(quotes_keep_everything);
    TEST(backslash_keeps_one_character);
    TEST(comments_begin_a_word);
    TEST(wrong_lines_say_what_is_wrong);
    TEST(number_of_words_is_limited);
    TEST(words_can_be_joined);
    TEST(no_memory_leaves_nothing);
    return tap_done();
}
