/* SPDX-License-Identifier: BSD-3-Clause */
/* One host as a user names it: see the header. The words are those of HF-1 and HF-2. */
#include "core/hostspec.h"

#include "base/mem.h"
#include "base/str.h"

#include <stddef.h>
#include <string.h>

enum { HOST_SPEED_DEFAULT = 1000 };

/* The options that are plain strings: written once, used for reading, copying and freeing. */
static const struct {
    const char *prefix;
    size_t offset;
} text_options[] = {
    {"lo=", offsetof(struct host_spec, login)},     {"dx=", offsetof(struct host_spec, daemon)},
    {"ep=", offsetof(struct host_spec, path)},      {"wd=", offsetof(struct host_spec, directory)},
    {"bx=", offsetof(struct host_spec, debugger)},  {"so=", offsetof(struct host_spec, options)},
    {"ip=", offsetof(struct host_spec, address)},   {"id=", offsetof(struct host_spec, vmid)},
};

static char **host_spec_text(struct host_spec *spec, size_t option)
{
    return (char **)(void *)((char *)spec + text_options[option].offset);
}

void host_spec_init(struct host_spec *spec)
{
    *spec = (struct host_spec){.speed = HOST_SPEED_DEFAULT};
}

void host_spec_fini(struct host_spec *spec)
{
    mem_free(spec->name);
    for (size_t i = 0; i < ARRAY_LEN(text_options); i++)
        mem_free(*host_spec_text(spec, i));
    host_spec_init(spec);
}

int host_spec_copy(struct host_spec *copy, const struct host_spec *spec)
{
    *copy = *spec;
    copy->name = NULL;
    for (size_t i = 0; i < ARRAY_LEN(text_options); i++)
        *host_spec_text(copy, i) = NULL;
    int failed = spec->name && !(copy->name = mem_strdup(spec->name));
    for (size_t i = 0; i < ARRAY_LEN(text_options) && !failed; i++) {
        const char *text = *host_spec_text((struct host_spec *)(uintptr_t)spec, i);
        failed = text && !(*host_spec_text(copy, i) = mem_strdup(text));
    }
    if (failed)
        host_spec_fini(copy);
    return failed ? -1 : 0;
}

int host_spec_inherit(struct host_spec *spec, const struct host_spec *from)
{
    for (size_t i = 0; i < ARRAY_LEN(text_options); i++) {
        char **text = host_spec_text(spec, i);
        const char *inherited = *host_spec_text((struct host_spec *)(uintptr_t)from, i);
        if (!*text && inherited && !(*text = mem_strdup(inherited)))
            return -1;
    }
    if (!spec->speed_given && from->speed_given) {
        spec->speed = from->speed;
        spec->speed_given = true;
    }
    return 0;
}

uint32_t host_spec_token_life_s(const struct host_spec *spec)
{
    int64_t life;
    if (!spec->options || !str_has_prefix(spec->options, "tk"))
        return 0;
    if (spec->options[2] == '\0')
        return HOST_TOKEN_LIFE_S;
    if (spec->options[2] != ':' || str_to_i64(spec->options + 3, &life) < 0 || life < 1 ||
        life > HOST_TOKEN_LIFE_MAX_S)
        return 0;
    return (uint32_t)life;
}

enum host_starter host_spec_starter(const struct host_spec *spec)
{
    if (spec->local_count > 0)
        return HOST_STARTER_LOCAL;
    if (spec->options && str_equal(spec->options, "ms"))
        return HOST_STARTER_MANUAL;
    if (host_spec_token_life_s(spec))
        return HOST_STARTER_TOKEN;
    return HOST_STARTER_SSH;
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next word of *|at|, copied; NULL with *|at| at the end, or without memory (*failed). */
static char *next_word(const char **at, int *failed)
{
    while (is_blank(**at))
        (*at)++;
    const char *start = *at;
    while (**at && !is_blank(**at))
        (*at)++;
    if (*at == start)
        return NULL;
    char *word = mem_strndup(start, (size_t)(*at - start));
    *failed = !word;
    return word;
}

/* `local` and `local:N` (not a PVM 3 form: more hosts of this machine without ssh). */
static int parse_local_count(struct host_spec *spec, char *error, uint32_t error_bytes)
{
    if (str_equal(spec->name, "local")) {
        spec->local_count = 1;
        return 0;
    }
    if (!str_has_prefix(spec->name, "local:"))
        return 0;
    int64_t count;
    if (str_to_i64(spec->name + strlen("local:"), &count) < 0 || count < 1 ||
        count > HOST_LOCAL_MAX) {
        str_format(error, error_bytes, "\"%s\": the number of local hosts must be 1 to %d",
                   spec->name, HOST_LOCAL_MAX);
        return -1;
    }
    spec->local_count = (uint32_t)count;
    return 0;
}

static int parse_speed(struct host_spec *spec, const char *word, char *error, uint32_t error_bytes)
{
    int64_t speed;
    if (str_to_i64(word + 3, &speed) < 0 || speed < 1 || speed > INT32_MAX) {
        str_format(error, error_bytes, "\"%s\": sp= takes a positive number", word);
        return -1;
    }
    spec->speed = (int32_t)speed;
    spec->speed_given = true;
    return 0;
}

/* Reads one option. The first of two equal options holds (HF-2). */
static int parse_option(struct host_spec *spec, const char *word, char *error, uint32_t error_bytes)
{
    if (str_has_prefix(word, "sp=")) {
        return spec->speed_given ? 0 : parse_speed(spec, word, error, error_bytes);
    }
    for (size_t i = 0; i < ARRAY_LEN(text_options); i++) {
        if (!str_has_prefix(word, text_options[i].prefix))
            continue;
        char **text = host_spec_text(spec, i);
        if (!*text && !(*text = mem_strdup(word + 3))) {
            str_format(error, error_bytes, "no memory");
            return -1;
        }
        if (str_has_prefix(word, "so=tk:") && !host_spec_token_life_s(spec)) {
            str_format(error, error_bytes, "\"%s\": a token lives 1 to %d seconds", word,
                       HOST_TOKEN_LIFE_MAX_S);
            return -1;
        }
        return 0;
    }
    str_format(error, error_bytes,
               "unknown option \"%s\": known are lo= dx= ep= wd= sp= bx= so= ip= id=", word);
    return -1;
}

static int parse_name(struct host_spec *spec, const char *word, bool allow_prefixes, char *error,
                      uint32_t error_bytes)
{
    while (allow_prefixes && (*word == '&' || *word == '$')) {
        spec->deferred |= *word == '&';
        spec->duplicate_allowed |= *word == '$';
        word++;
    }
    if (!allow_prefixes && strchr("*&$#", *word)) {
        str_format(error, error_bytes, "* & $ and # are for host files only");
        return -1;
    }
    if (*word == '\0' || strlen(word) > HOST_NAME_BYTES_MAX || strchr(word, '=')) {
        str_format(error, error_bytes, "\"%.64s\" is no host name", word);
        return -1;
    }
    spec->name = mem_strdup(word);
    if (!spec->name) {
        str_format(error, error_bytes, "no memory");
        return -1;
    }
    return parse_local_count(spec, error, error_bytes);
}

static int parse_words(struct host_spec *spec, const char *line, bool allow_prefixes, char *error,
                       uint32_t error_bytes)
{
    int failed = 0;
    int result = 0;
    int words = 0;
    char *word;
    while (result == 0 && (word = next_word(&line, &failed)) != NULL) {
        if (words++ == 0) {
            /* A blank may stand between the prefix and the name: `& node7`. */
            if (allow_prefixes && word[strspn(word, "&$")] == '\0') {
                spec->deferred |= strchr(word, '&') != NULL;
                spec->duplicate_allowed |= strchr(word, '$') != NULL;
                words = 0;
            } else {
                result = parse_name(spec, word, allow_prefixes, error, error_bytes);
            }
        } else if (words > HOST_WORDS_MAX) {
            str_format(error, error_bytes, "more than %d words", HOST_WORDS_MAX);
            result = -1;
        } else {
            result = parse_option(spec, word, error, error_bytes);
        }
        mem_free(word);
    }
    if (failed) {
        str_format(error, error_bytes, "no memory");
        return -1;
    }
    if (result == 0 && !spec->name) {
        str_format(error, error_bytes, "no host name");
        return -1;
    }
    return result;
}

int host_spec_parse(const char *line, bool allow_prefixes, struct host_spec *spec, char *error,
                    uint32_t error_bytes)
{
    struct host_spec parsed;
    host_spec_init(&parsed);
    if (strlen(line) > HOST_LINE_BYTES_MAX) {
        str_format(error, error_bytes, "longer than %d bytes", HOST_LINE_BYTES_MAX);
        return -1;
    }
    if (parse_words(&parsed, line, allow_prefixes, error, error_bytes) < 0) {
        host_spec_fini(&parsed);
        return -1;
    }
    *spec = parsed;
    return 0;
}
