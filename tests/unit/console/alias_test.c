/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * src/console/alias.c: definition, order, replacement, loops.
 */
#include "console/alias.h"

#include "base/mem.h"
#include "tap.h"

/* Puts |more| behind what is in the array |text|. */
#define APPEND(text, more)                                                                         \
    ((void)snprintf((text) + strlen(text), sizeof(text) - strlen(text), "%s", more))

static struct alias_set set;

static enum alias_result define(const char *line)
{
    struct words words;
    char mark;
    line_split(line, &words, &mark);
    const enum alias_result result = alias_define(&set, words.word[0], words.word + 1,
                                                  words.count - 1);
    words_fini(&words);
    return result;
}

/* The line with its aliases replaced, words between bars. */
static const char *expand(const char *line)
{
    static char text[4096];
    struct words words;
    char mark;
    line_split(line, &words, &mark);
    const enum alias_result result = alias_expand(&set, &words);
    strcpy(text, result == ALIAS_OK         ? "|"
                 : result == ALIAS_LOOP     ? "loop"
                 : result == ALIAS_TOO_LONG ? "too long"
                                            : "no memory");
    for (int i = 0; i < words.count && result == ALIAS_OK; i++) {
        APPEND(text, words.word[i]);
        APPEND(text, "|");
    }
    words_fini(&words);
    return text;
}

static void first_word_is_replaced(void)
{
    define("ll ps -l");
    SAME_TEXT(expand("ll"), "|ps|-l|", "by the words of the alias");
    SAME_TEXT(expand("ll -a"), "|ps|-l|-a|", "before the other words");
    SAME_TEXT(expand("echo ll"), "|echo|ll|", "and no other word is");
    SAME_TEXT(expand(""), "|", "an empty line has none");
    define("ll ps -a");
    SAME_TEXT(expand("ll"), "|ps|-a|", "a new definition replaces the old one");
    define("say 'a b'");
    SAME_TEXT(expand("say"), "|a b|", "a word with blanks stays one");
}

static void replacement_goes_on(void)
{
    define("la ll -x");
    SAME_TEXT(expand("la"), "|ps|-a|-x|", "while the first word is an alias");
    define("conf conf -v");
    SAME_TEXT(expand("conf now"), "|conf|-v|now|", "but not when it is its own name");
}

static void loops_are_found(void)
{
    define("a b");
    define("b c");
    define("c a");
    SAME_TEXT(expand("a"), "loop", "of three");
    define("ping pong");
    define("pong ping");
    SAME_TEXT(expand("pong x"), "loop", "of two");
    SAME_TEXT(expand("ll"), "|ps|-a|", "others still work");
}

static void removal(void)
{
    EQUAL(alias_remove(&set, "ll"), 0, "of one that is there");
    EQUAL(alias_remove(&set, "ll"), -1, "and of one that is not");
    SAME_TEXT(expand("ll"), "|ll|", "the word is itself again");
}

static void list_is_sorted(void)
{
    char names[256] = "";
    LIST_EACH(node, next, &set.list) {
        APPEND(names, LIST_ENTRY(node, struct alias, link)->name);
        APPEND(names, " ");
    }
    SAME_TEXT(names, "a b c conf la ping pong say ", "by name");
}

static void too_many_words(void)
{
    char line[512] = "many";
    for (int i = 0; i < 100; i++)
        APPEND(line, " w");
    EQUAL(define(line), ALIAS_OK, "an alias of 100 words");
    char use[256] = "many";
    for (int i = 0; i < 27; i++)
        APPEND(use, " w");
    struct words words;
    char mark;
    line_split(use, &words, &mark);
    EQUAL(alias_expand(&set, &words), ALIAS_OK, "and 27 more make 127");
    words_fini(&words);
    APPEND(use, " w");
    SAME_TEXT(expand(use), "too long", "one more is too many");
}

static void no_memory_changes_nothing(void)
{
    for (uint64_t nth = 1; nth <= 4; nth++) {
        mem_fail_at(nth, 1);
        char name[] = "say";
        char word[] = "other";
        char *words[] = {word, word};
        const enum alias_result result = alias_define(&set, name, words, 2);
        mem_fail_at(0, 0);
        EQUAL(result, ALIAS_NO_MEMORY, "a definition fails");
    }
    SAME_TEXT(expand("say"), "|a b|", "the old one stands");
    struct words words;
    char mark;
    line_split("la x", &words, &mark);
    mem_fail_at(2, 1);
    const enum alias_result result = alias_expand(&set, &words);
    mem_fail_at(0, 0);
    EQUAL(result, ALIAS_NO_MEMORY, "a replacement fails");
    words_fini(&words);
}

int main(void)
{
    alias_set_init(&set);
    TEST(first_word_is_replaced);
    TEST(replacement_goes_on);
    TEST(loops_are_found);
    TEST(removal);
    TEST(list_is_sorted);
    TEST(too_many_words);
    TEST(no_memory_changes_nothing);
    alias_set_fini(&set);
    return tap_done();
}
