/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * src/console/spawnopts.c: every option of spawn, alone and together, and the words for wrong ones.
 */
#include "console/spawnopts.h"

#include "console/line.h"
#include "tap.h"

#include <pvm3.h>

static struct spawn_options options;
static char error[SPAWN_ERROR_BYTES_MAX];
static struct words words;

/* 0 or -1 as spawn_options_parse(). */
static int parse(const char *line)
{
    char mark;
    words_fini(&words);
    line_split(line, &words, &mark);
    error[0] = '\0';
    return spawn_options_parse(words.count, words.word, &options, error);
}

static void program_alone(void)
{
    EQUAL(parse("spawn hello -2 ->"), 0, "no options");
    EQUAL(options.count, 1, "one task");
    EQUAL(options.flags, 0, "anywhere");
    SAME_TEXT(options.where, "", "at no place");
    EQUAL(options.output, SPAWN_OUTPUT_NONE, "no redirection");
    EQUAL(options.first, 1, "options end at the program");
    EQUAL(parse("spawn -2"), 0, "no program");
    EQUAL(options.first, 2, "is seen by the caller");
}

static void counts(void)
{
    EQUAL(parse("spawn -3 hello"), 0, "a number");
    EQUAL(options.count, 3, "of tasks");
    EQUAL(parse("spawn -010 hello"), 0, "leading zeros");
    EQUAL(options.count, 10, "are not octal");
    EQUAL(parse("spawn -1 -2 hello"), 0, "twice");
    EQUAL(options.count, 2, "the last one holds");
    EQUAL(parse("spawn -0 hello"), -1, "none");
    SAME_TEXT(error, "-0: the number of tasks must be 1 to 1048576", "is refused with words");
    EQUAL(parse("spawn -99999999999999999999 hello"), -1, "too many");
    EQUAL(parse("spawn -10.0.0.1 hello"), -1, "a numeric address");
    SAME_TEXT(error, "-10.0.0.1: not a number of tasks (a host of that name: --host=10.0.0.1)",
              "is no count, and the way to say it is told");
}

static void places(void)
{
    EQUAL(parse("spawn -node7 hello"), 0, "small letter");
    EQUAL(options.flags, PvmTaskHost, "a host");
    SAME_TEXT(options.where, "node7", "of this name");
    EQUAL(parse("spawn -. hello"), 0, "a dot");
    EQUAL(options.flags, PvmTaskHost, "this host");
    EQUAL(parse("spawn -LINUX64 hello"), 0, "capital letter");
    EQUAL(options.flags, PvmTaskArch, "an architecture");
    EQUAL(parse("spawn -node7:/tmp/a:b hello"), 0, "with a directory");
    SAME_TEXT(options.where, "node7:/tmp/a:b", "from the first colon to the end");
    EQUAL(parse("spawn -:/tmp hello"), 0, "a directory alone");
    EQUAL(options.flags, 0, "on any host");
    SAME_TEXT(options.where, ":/tmp", "in it");
    EQUAL(parse("spawn -:/tmp -node7 hello"), 0, "in two options");
    SAME_TEXT(options.where, "node7:/tmp", "they are joined");
    EQUAL(parse("spawn --host=10.0.0.1:/x hello"), 0, "any name");
    EQUAL(options.flags, PvmTaskHost, "is a host");
    SAME_TEXT(options.where, "10.0.0.1:/x", "with its directory");
    EQUAL(parse("spawn --host= hello"), 0, "an empty name");
    EQUAL(options.flags, PvmTaskHost, "is left to the daemon to refuse");
    EQUAL(parse("spawn -a -B hello"), -1, "two places");
    SAME_TEXT(error, "two places: a and B", "are refused");
    EQUAL(parse("spawn -a:/x -:/y hello"), -1, "two directories");
}

static void complement(void)
{
    EQUAL(parse("spawn -~node7 hello"), 0, "a host");
    EQUAL(options.flags, PvmTaskHost | PvmHostCompl, "any but this");
    EQUAL(parse("spawn -~LINUX64:/tmp hello"), 0, "an architecture");
    EQUAL(options.flags, PvmTaskArch | PvmHostCompl, "any but this");
    SAME_TEXT(options.where, "LINUX64:/tmp", "in a directory");
    EQUAL(parse("spawn -~ hello"), 0, "nothing");
    EQUAL(options.flags, PvmHostCompl, "is left to the daemon to refuse");
}

static void output(void)
{
    EQUAL(parse("spawn -> hello"), 0, "->");
    EQUAL(options.output, SPAWN_OUTPUT_CONSOLE, "to the console");
    EQUAL(parse("spawn ->out hello"), 0, "->file");
    EQUAL(options.output, SPAWN_OUTPUT_FILE, "to a file");
    SAME_TEXT(options.output_file, "out", "of this name");
    EQUAL(parse("spawn ->>out hello"), 0, "->>file");
    EQUAL(options.output, SPAWN_OUTPUT_APPEND, "to its end");
    SAME_TEXT(options.output_file, "out", "of this name");
    EQUAL(parse("spawn -> out"), 0, "-> with a blank");
    EQUAL(options.first, 2, "takes the next word for the program");
    EQUAL(parse("spawn ->> hello"), -1, "->> alone");
    SAME_TEXT(error, "->>: which file?", "is refused");
    EQUAL(parse("spawn ->a -> hello"), 0, "twice");
    EQUAL(options.output, SPAWN_OUTPUT_CONSOLE, "the last one holds");
    OK(!options.output_file, "wholly");
}

static void others(void)
{
    EQUAL(parse("spawn -? hello"), 0, "-?");
    EQUAL(options.flags, PvmTaskDebug, "asks for the debugger");
    EQUAL(parse("spawn - -- hello"), 0, "bare marks mean nothing");
    EQUAL(options.first, 3, "and are skipped");
    EQUAL(parse("spawn -/tmp hello"), -1, "an unknown option");
    SAME_TEXT(error, "-/tmp: unknown option", "is refused with words");
    EQUAL(parse("spawn --foo=x hello"), -1, "a long one too");
    EQUAL(parse("spawn -@file hello"), -1, "tracing");
    OK(strstr(error, "not implemented yet"), "says that it comes later");
    EQUAL(parse("spawn -4 -LINUX64:/tmp ->>log hello a b"), 0, "all together");
    EQUAL(options.count, 4, "count");
    EQUAL(options.flags, PvmTaskArch, "place");
    EQUAL(options.output, SPAWN_OUTPUT_APPEND, "output");
    EQUAL(options.first, 4, "program");
}

static void long_place(void)
{
    static char name[SPAWN_WHERE_BYTES_MAX + 2];
    char command[] = "spawn";
    char program[] = "hello";
    char *argv[] = {command, name, program, NULL};
    memset(name, 'a', sizeof(name) - 1);
    name[0] = '-';
    EQUAL(spawn_options_parse(3, argv, &options, error), -1, "is refused");
    name[SPAWN_WHERE_BYTES_MAX - 2] = '\0';
    EQUAL(spawn_options_parse(3, argv, &options, error), 0, "the longest is not");
    EQUAL(strlen(options.where), SPAWN_WHERE_BYTES_MAX - 3, "and is whole");
}

int main(void)
{
    words_init(&words);
    TEST(program_alone);
    TEST(counts);
    TEST(places);
    TEST(complement);
    TEST(output);
    TEST(others);
    TEST(long_place);
    words_fini(&words);
    return tap_done();
}
