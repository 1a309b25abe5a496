/* SPDX-License-Identifier: BSD-3-Clause */
/* Command line and environment of a daemon: see the header. */
#include "pvmd/config.h"

#include "base/mem.h"
#include "base/str.h"
#include "os/dir.h"
#include "os/logfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: pvmd [-dMASK] [-nNAME] [-t] [hostfile]";

struct words {
    int argc;
    char **argv;
    int at;
    const char *j;
    const char *m;
    const char *token;
};

/* The value of option |argv[at]|: glued to it, or the next word. NULL = missing. */
static const char *option_value(struct words *words)
{
    const char *word = words->argv[words->at];
    if (word[2])
        return word + 2;
    return words->at + 1 < words->argc ? words->argv[++words->at] : NULL;
}

static int parse_mask(const char *text, uint32_t *mask, char *error)
{
    int64_t value;
    if (!text || str_to_i64(text, &value) < 0 || value < 0 || value > UINT32_MAX) {
        str_format(error, CONFIG_ERROR_BYTES, "-d%s: the debug mask is a number, such as -d0x10",
                   text ? text : "");
        return -1;
    }
    *mask = (uint32_t)value;
    return 0;
}

static int parse_seal(const char *name, struct config *config, char *error)
{
    static const struct {
        const char *name;
        enum seal_mode mode;
        bool loopback_only;
    } modes[] = {
        {"encrypt", SEAL_ENCRYPT, false},
        {"integrity", SEAL_INTEGRITY, false},
        {"off", SEAL_OFF, true},
        {"off-forced", SEAL_OFF, false}, /* a network that nobody else is on */
    };
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (!str_equal(name, modes[i].name))
            continue;
        config->seal_name = name;
        config->seal = modes[i].mode;
        config->loopback_only = modes[i].loopback_only;
        return 0;
    }
    str_format(
        error, CONFIG_ERROR_BYTES,
        "%s: unknown way to seal packets (PVM_SEAL, -e): encrypt, integrity, off (this machine "
        "only), off-forced",
        name);
    return -1;
}

/* Seconds, with decimals. Shorter times than the least would be full of false alarms: a loaded
 * machine lets a process wait for as long. */
static int parse_dead_after(const char *text, struct config *config, char *error)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end != text && *end == '\0' && seconds >= CONFIG_DEAD_AFTER_MIN_S &&
        seconds <= CONFIG_DEAD_AFTER_MAX_S) {
        config->dead_after_ns = (uint64_t)(seconds * 1e9);
        return 0;
    }
    str_format(error, CONFIG_ERROR_BYTES,
               "%s: how long a host may be silent (PVM_DEAD_AFTER, -a) is given in seconds, from "
               "%g to %g",
               text, CONFIG_DEAD_AFTER_MIN_S, CONFIG_DEAD_AFTER_MAX_S);
    return -1;
}

static int parse_option(struct words *words, struct config *config, char *error)
{
    const char *word = words->argv[words->at], *value;
    switch (word[1]) {
    case 'd':
        return parse_mask(word + 2, &config->debug_mask, error);
    case 'n':
        config->name = value = option_value(words);
        break;
    case 't':
        config->show = true;
        return 0;
    case 's':
    case 'S': /* DMN-2 tells them apart by what they do with stdin; this daemon does not need it */
        config->is_new_host = true;
        return 0;
    case 'f':
        config->stay = true;
        return 0;
    case 'w':
        config->is_held = true;
        return 0;
    case 'a':
        value = option_value(words);
        if (value && parse_dead_after(value, config, error) < 0)
            return -1;
        break;
    case 'v':
        config->vmid = value = option_value(words);
        break;
    case 'e':
        value = option_value(words);
        if (value && parse_seal(value, config, error) < 0)
            return -1;
        break;
    case 'j':
        words->j = value = option_value(words);
        break;
    case 'J':
        words->token = value = option_value(words);
        break;
    case 'm':
        words->m = value = option_value(words);
        break;
    default:
        str_format(error, CONFIG_ERROR_BYTES, "%s: unknown option; %s", word, usage);
        return -1;
    }
    if (value && *value)
        return 0;
    str_format(error, CONFIG_ERROR_BYTES, "%s: a value is missing; %s", word, usage);
    return -1;
}

struct token_reader {
    struct config *config;
    struct words *words;
    char *error;
};

static int token_option(void *context, char *line)
{
    struct token_reader *reader = context;
    char *argv[] = {NULL, line};
    struct words one = {.argc = 2, .argv = argv, .at = 1};
    if (!line[1] || !strchr("nveadjm", line[1])) {
        str_copy(reader->error, CONFIG_ERROR_BYTES, "join token: it is damaged");
        return -1;
    }
    int result = parse_option(&one, reader->config, reader->error);
    if (one.j)
        reader->words->j = one.j;
    if (one.m)
        reader->words->m = one.m;
    return result;
}

static int read_token(struct words *words, struct config *config, char *error)
{
    struct token_reader reader = {.config = config, .words = words, .error = error};
    char reason[TOKEN_ERROR_BYTES] = "";
    if (config->is_new_host || config->is_held || words->j || words->m || config->name) {
        str_copy(error, CONFIG_ERROR_BYTES, "-J FILE says all that -s, -n, -j and -m would");
        return -1;
    }
    config->is_new_host = true;
    config->token_text = mem_alloc(TOKEN_BYTES_MAX + 1);
    if (!config->token_text) {
        str_copy(error, CONFIG_ERROR_BYTES, "no memory");
        return -1;
    }
    if (token_load(words->token, config->token_text, reason) == 0 &&
        token_parse(config->token_text, &config->token, token_option, &reader, reason) == 0)
        return 0;
    if (reason[0])
        str_copy(error, CONFIG_ERROR_BYTES, reason);
    return -1;
}

static int parse_arguments(struct config *config, int argc, char **argv, char *error)
{
    struct words words = {.argc = argc, .argv = argv};
    for (words.at = 1; words.at < argc; words.at++) {
        const char *word = argv[words.at];
        if (word[0] == '-' && word[1]) {
            if (parse_option(&words, config, error) < 0)
                return -1;
        } else if (config->hostfile_name) {
            str_format(error, CONFIG_ERROR_BYTES, "%s: only one hostfile can be read; %s", word,
                       usage);
            return -1;
        } else {
            config->hostfile_name = word;
        }
    }
    if (words.token && read_token(&words, config, error) < 0)
        return -1;
    if (!config->is_new_host)
        return 0;
    if (!words.j || !words.m || !config->name || config->hostfile_name) {
        str_copy(error, CONFIG_ERROR_BYTES,
                 "-s is for the start of a new host by a master and needs -n, -j and -m");
        return -1;
    }
    char reason[512];
    if (join_args_parse(words.j, words.m, &config->join, reason, sizeof(reason)) == 0)
        return 0;
    str_format(error, CONFIG_ERROR_BYTES, "-j %s -m %s: %s", words.j, words.m, reason);
    return -1;
}

/* A number from the environment within its range; anything else is said and not used. */
static int environment_number(const char *name, int64_t min, int64_t max, int64_t *value,
                              char *error)
{
    const char *text = getenv(name);
    int64_t parsed;
    if (!text || !*text)
        return 0;
    if (str_to_i64(text, &parsed) < 0 || parsed < min || parsed > max) {
        str_format(error, CONFIG_ERROR_BYTES, "%s=%s: must be a number from %lld to %lld", name,
                   text, (long long)min, (long long)max);
        return -1;
    }
    *value = parsed;
    return 0;
}

static int read_environment(struct config *config, char *error)
{
    int64_t port = 0, log_bytes = LOGFILE_BYTES_MAX_DEFAULT, mask = 0, tasks = 0;
    if (environment_number("PVMNETSOCKPORT", 0, UINT16_MAX, &port, error) < 0 ||
        environment_number("PVMDLOGMAX", 0, INT64_MAX, &log_bytes, error) < 0 ||
        environment_number("PVMDDEBUG", 0, UINT32_MAX, &mask, error) < 0 ||
        environment_number("PVM_MAX_TASKS", 0, UINT32_MAX, &tasks, error) < 0)
        return -1;
    config->first_port = (uint16_t)port;
    config->log_bytes_max = (uint64_t)log_bytes;
    config->debug_mask = (uint32_t)mask;
    config->tasks_max = (uint32_t)tasks;
    config->vmid = getenv("PVM_VMID");
    const char *dead_after = getenv("PVM_DEAD_AFTER");
    if (dead_after && *dead_after && parse_dead_after(dead_after, config, error) < 0)
        return -1;
    const char *seal = getenv("PVM_SEAL");
    return seal && *seal ? parse_seal(seal, config, error) : 0;
}

static int read_hostfile(struct config *config, char *error)
{
    FILE *file = fopen(config->hostfile_name, "r");
    char *text = file ? mem_alloc(CONFIG_HOSTFILE_BYTES_MAX + 1) : NULL;
    if (!text) {
        str_format(error, CONFIG_ERROR_BYTES, "hostfile \"%s\": %s", config->hostfile_name,
                   strerror(file ? ENOMEM : errno));
        if (file)
            fclose(file);
        return -1;
    }
    errno = 0;
    size_t length = fread(text, 1, CONFIG_HOSTFILE_BYTES_MAX + 1, file);
    const char *problem = ferror(file)                         ? strerror(errno)
                          : length > CONFIG_HOSTFILE_BYTES_MAX ? "is longer than 4 MiB"
                          : memchr(text, '\0', length)         ? "is no text"
                                                               : NULL;
    fclose(file);
    if (problem) {
        mem_free(text);
        str_format(error, CONFIG_ERROR_BYTES, "hostfile \"%s\": %s", config->hostfile_name,
                   problem);
        return -1;
    }
    text[length] = '\0';
    char *fitted = mem_realloc(text, length + 1);
    config->hostfile_text = fitted ? fitted : text;
    return 0;
}

int config_read(struct config *config, int argc, char **argv, char error[CONFIG_ERROR_BYTES])
{
    *config = (struct config){.seal = SEAL_ENCRYPT,
                              .dead_after_ns = (uint64_t)(CONFIG_DEAD_AFTER_S * 1e9)};
    if (read_environment(config, error) < 0 || parse_arguments(config, argc, argv, error) < 0)
        return -1;
    if (config->vmid && !*config->vmid)
        config->vmid = NULL;
    if (config->vmid && !dir_vmid_is_sane(config->vmid)) {
        str_format(
            error, CONFIG_ERROR_BYTES,
            "PVM_VMID=%s: a virtual machine is named by at most %d letters, digits, '.', '_' and "
            "'-', not starting with a dot",
            config->vmid, DIR_VMID_BYTES_MAX);
        return -1;
    }
    if (config->is_new_host || config->show)
        return 0;
    if (!config->hostfile_name)
        config->hostfile_name = getenv("PVMHOSTFILE");
    if (!config->hostfile_name || !*config->hostfile_name)
        return 0;
    return read_hostfile(config, error);
}

void config_fini(struct config *config)
{
    mem_free(config->hostfile_text);
    config->hostfile_text = NULL;
    mem_free(config->token_text);
    config->token_text = NULL;
}

enum log_level config_log_level(const struct config *config)
{
    /* Of the original's mask (man page pvmd3) packets and messages are the loud part. */
    if (config->debug_mask & 3)
        return LOG_LEVEL_TRACE;
    return config->debug_mask ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
}
