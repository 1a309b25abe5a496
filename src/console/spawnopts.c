/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads the options of spawn. Stricter than the original where it guessed: `-10.0.0.1` is no count
 * of 10 and an option nobody knows is an error, not nothing. A bare `-` or `--` means nothing, as
 * ever.
 */
#include "console/spawnopts.h"

#include "base/str.h"

#include <pvm3.h>
#include <string.h>

/* The whole of |error| is written each time; -1 makes failing one statement. */
#define FAIL(...) (str_format(error, SPAWN_ERROR_BYTES_MAX, __VA_ARGS__), -1)

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Directory and name come in any order and in one option or two: -host:wd, or -:wd and -host. */
struct place {
    const char *name;
    const char *directory;
    size_t name_length;
};

static int place_read(const char *text, struct place *place, char *error)
{
    const char *colon = strchr(text, ':');
    const size_t length = colon ? (size_t)(colon - text) : strlen(text);
    if (length > 0) {
        if (place->name)
            return FAIL("two places: %.*s and %.*s", (int)place->name_length, place->name,
                        (int)length, text);
        place->name = text;
        place->name_length = length;
    }
    if (colon) {
        if (place->directory)
            return FAIL("two directories: %s and %s", place->directory, colon + 1);
        place->directory = colon + 1;
    }
    return 0;
}

static int count_read(const char *text, struct spawn_options *options, char *error)
{
    int64_t count;
    for (const char *at = text; *at; at++) {
        if (!is_digit(*at))
            return FAIL("-%s: not a number of tasks (a host of that name: --host=%s)", text, text);
    }
    while (text[0] == '0' && text[1])
        text++; /* 010 is ten tasks, not eight */
    if (str_to_i64(text, &count) || count < 1 || count > SPAWN_COUNT_MAX)
        return FAIL("-%s: the number of tasks must be 1 to %d", text, SPAWN_COUNT_MAX);
    options->count = (int)count;
    return 0;
}

static int output_read(const char *text, struct spawn_options *options, char *error)
{
    const int append = text[0] == '>';
    const char *file = text + append;
    if (append && !*file)
        return FAIL("->>: which file?");
    options->output = append  ? SPAWN_OUTPUT_APPEND
                      : *file ? SPAWN_OUTPUT_FILE
                              : SPAWN_OUTPUT_CONSOLE;
    options->output_file = *file ? file : NULL;
    return 0;
}

static int option_read(const char *text, struct spawn_options *options, struct place *place,
                       char *error)
{
    const char first = text[0];
    if (first == '\0' || strcmp(text, "-") == 0)
        return 0;
    if (is_digit(first))
        return count_read(text, options, error);
    if (first == '>')
        return output_read(text + 1, options, error);
    if (first == '?' && !text[1]) {
        options->flags |= PvmTaskDebug;
        return 0;
    }
    if (first == '~') {
        options->flags |= PvmHostCompl;
        return option_read(text + 1, options, place, error);
    }
    if (first == '@')
        return FAIL("-@: tracing is not implemented yet");
    if (first == ':')
        return place_read(text, place, error);
    if (str_has_prefix(text, "-host=")) {
        options->flags |= PvmTaskHost;
        return place_read(text + strlen("-host="), place, error);
    }
    if (first == '.' || (first >= 'a' && first <= 'z')) {
        options->flags |= PvmTaskHost;
        return place_read(text, place, error);
    }
    if (first >= 'A' && first <= 'Z') {
        options->flags |= PvmTaskArch;
        return place_read(text, place, error);
    }
    return FAIL("-%s: unknown option", text);
}

int spawn_options_parse(int argc, char *const *argv, struct spawn_options *options, char *error)
{
    struct place place = {0};
    memset(options, 0, sizeof(*options));
    options->count = 1;
    options->first = argc;
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            options->first = i;
            break;
        }
        if (option_read(argv[i] + 1, options, &place, error))
            return -1;
    }
    const size_t directory_length = place.directory ? strlen(place.directory) : 0;
    if (place.name_length + directory_length + 2 > SPAWN_WHERE_BYTES_MAX)
        return FAIL("the name of the place is too long");
    str_format(options->where, sizeof(options->where), "%.*s%s%s", (int)place.name_length,
               place.name ? place.name : "", place.directory ? ":" : "",
               place.directory ? place.directory : "");
    return 0;
}
