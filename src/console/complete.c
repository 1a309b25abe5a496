/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Completion: the first word is a command or an alias, later ones are what cmds.def says of the
 * command.
 */
#include "console/complete.h"

#include "base/mem.h"
#include "base/str.h"

#include <string.h>

/* No memory: one candidate less. */
static void candidate_add(struct candidates *candidates, const char *typed, const char *word)
{
    if (!str_has_prefix(word, typed))
        return;
    for (size_t i = 0; i < candidates->count; i++) {
        if (strcmp(candidates->words[i], word) == 0)
            return;
    }
    void *words = candidates->words;
    if (mem_grow(&words, &candidates->capacity, candidates->count + 1, sizeof(char *)))
        return;
    candidates->words = words;
    char *copy = mem_strdup(word);
    if (copy)
        candidates->words[candidates->count++] = copy;
}

void candidates_fini(struct candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++)
        mem_free(candidates->words[i]);
    mem_free(candidates->words);
    memset(candidates, 0, sizeof(*candidates));
}

size_t candidates_common(const struct candidates *candidates)
{
    if (candidates->count == 0)
        return 0;
    const char *first = candidates->words[0];
    size_t common = strlen(first);
    for (size_t i = 1; i < candidates->count; i++) {
        size_t same = 0;
        while (same < common && candidates->words[i][same] == first[same])
            same++;
        common = same;
    }
    return common;
}

static void commands_add(struct candidates *candidates, const char *typed)
{
    for (size_t i = 0; i < command_count; i++) {
        if (!command_table[i].hidden)
            candidate_add(candidates, typed, command_table[i].name);
    }
}

static void aliases_add(const struct console *console, struct candidates *candidates,
                        const char *typed)
{
    LIST_EACH(node, next, &console->aliases.list)
        candidate_add(candidates, typed, LIST_ENTRY(node, struct alias, link)->name);
}

static void hosts_add(struct candidates *candidates, const char *typed)
{
    struct pvmhostinfo *hosts;
    int count;
    if (pvm_config(&count, NULL, &hosts) < 0)
        return;
    for (int i = 0; i < count; i++)
        candidate_add(candidates, typed, hosts[i].hi_name);
}

/* Places of spawn: -host and -ARCH, or -~host and -~ARCH. */
static void places_add(struct candidates *candidates, const char *typed)
{
    struct pvmhostinfo *hosts;
    char word[COMPLETE_WORD_BYTES_MAX];
    int count;
    if (typed[0] != '-' || pvm_config(&count, NULL, &hosts) < 0)
        return;
    const char *start = str_has_prefix(typed, "-~") ? "-~" : "-";
    for (int i = 0; i < count; i++) {
        str_format(word, sizeof(word), "%s%s", start, hosts[i].hi_name);
        candidate_add(candidates, typed, word);
        str_format(word, sizeof(word), "%s%s", start, hosts[i].hi_arch);
        candidate_add(candidates, typed, word);
    }
}

/* With the t in front when it was typed. */
static void tasks_add(const struct console *console, struct candidates *candidates,
                      const char *typed)
{
    struct pvmtaskinfo *tasks;
    char word[16];
    int count;
    if (pvm_tasks(0, &count, &tasks) < 0)
        return;
    for (int i = 0; i < count; i++) {
        if (tasks[i].ti_tid <= 0 || tasks[i].ti_tid == console->tid)
            continue;
        str_format(word, sizeof(word), "%s%x", typed[0] == 't' ? "t" : "",
                   (unsigned)tasks[i].ti_tid);
        candidate_add(candidates, typed, word);
    }
}

static void options_add(struct candidates *candidates, const char *typed)
{
    for (int i = 0; option_name(i); i++)
        candidate_add(candidates, typed, option_name(i));
}

static void words_of_kind(const struct console *console, enum command_words kind,
                          struct candidates *candidates, const char *typed)
{
    switch (kind) {
    case WORDS_PLAIN:
        break;
    case WORDS_COMMANDS:
        commands_add(candidates, typed);
        break;
    case WORDS_HOSTS:
        hosts_add(candidates, typed);
        break;
    case WORDS_TASKS:
        tasks_add(console, candidates, typed);
        break;
    case WORDS_OPTIONS:
        options_add(candidates, typed);
        break;
    case WORDS_ALIASES:
        aliases_add(console, candidates, typed);
        break;
    case WORDS_PLACES:
        places_add(candidates, typed);
        break;
    }
}

void complete(const struct console *console, const char *line, struct candidates *candidates,
              size_t *typed)
{
    char name[COMPLETE_WORD_BYTES_MAX];
    memset(candidates, 0, sizeof(*candidates));
    *typed = 0;
    line += strspn(line, " \t");
    const char *space = strpbrk(line, " \t");
    const char *last = line;
    for (const char *at = line; *at; at++) {
        if (*at == ' ' || *at == '\t')
            last = at + 1;
        else if (*at == '"' || *at == '\'' || *at == '\\')
            return;
    }
    *typed = strlen(last);
    if (!space) {
        commands_add(candidates, last);
        aliases_add(console, candidates, last);
        return;
    }
    str_format(name, sizeof(name), "%.*s", (int)(space - line), line);
    const struct alias *alias = alias_find(&console->aliases, name);
    const struct command *command = command_find(alias ? alias->words.word[0] : name);
    if (command)
        words_of_kind(console, command->words, candidates, last);
}
