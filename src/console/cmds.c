/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a line to a command: the table made of cmds.def, the search in it, aliases, the check of
 * counts, and the commands that are about commands (help, alias, unalias, echo).
 */
#include "console/cmds.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define LISTED false
#define HIDDEN true
#define COMMAND(name, function, min, max, listed, need, words, summary, usage)                     \
    {#name, function, min, max, listed, need, words, summary, usage},
#define COMMAND_LATER COMMAND
const struct command command_table[] = {
#include "console/cmds.def"
};
#undef COMMAND
#undef COMMAND_LATER
const size_t command_count = ARRAY_LEN(command_table);

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(command_table[i].name, name) == 0)
            return &command_table[i];
    }
    return NULL;
}

int console_run_words(struct console *console, int argc, char **argv)
{
    const struct command *command = command_find(argv[0]);
    if (!command) {
        printf("%s: not found\n", argv[0]);
        return 1;
    }
    if (argc < command->words_min || argc > command->words_max) {
        printf("%s: wrong #args\n", argv[0]);
        return 1;
    }
    fflush(stdout); /* what the library says on stderr comes after what was said before */
    return command->function(console, argc, argv);
}

static int split(const char *line, struct words *words)
{
    char unmatched = '\0';
    switch (line_split(line, words, &unmatched)) {
    case LINE_OK:
        return 0;
    case LINE_UNMATCHED:
        printf("unmatched %c\ncommand too long\n", unmatched);
        break;
    case LINE_TOO_LONG:
        printf("command too long\n");
        break;
    case LINE_NO_MEMORY:
        printf("no memory\n");
        break;
    }
    return 1;
}

int console_run_line(struct console *console, const char *line)
{
    static const char *const wrong[] = {
        [ALIAS_LOOP] = "alias loop",
        [ALIAS_TOO_LONG] = "command too long",
        [ALIAS_NO_MEMORY] = "no memory",
    };
    struct words words;
    int status = split(line, &words);
    if (status || words.count == 0)
        return status;
    const enum alias_result result = alias_expand(&console->aliases, &words);
    if (result == ALIAS_OK) {
        status = console_run_words(console, words.count, words.word);
    } else {
        printf("%s\n", wrong[result]);
        status = 1;
    }
    words_fini(&words);
    return status;
}

/* ---- commands about commands ---- */

int command_help(struct console *console, int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : argv[0];
    const struct command *command = command_find(name);
    if (!command && argc == 1)
        command = command_find("help");
    if (!command) {
        printf("help: there is no command \"%s\"\n", name);
        return 1;
    }
    printf("%-12s%s\n%s", command->name, command->summary, command->usage);
    if (command->function == command_later)
        printf("Not implemented yet.\n");
    if (command->function != command_help)
        return 0;
    printf("Commands are:\n");
    for (size_t i = 0; i < command_count; i++) {
        const struct command *row = &command_table[i];
        if (!row->hidden)
            printf("  %-12s%s%s\n", row->name, row->summary,
                   row->function == command_later ? " (not implemented yet)" : "");
    }
    return 0;
}

int command_later(struct console *console, int argc, char **argv)
{
    printf("%s: not implemented yet\n", argv[0]);
    return 1;
}

static void alias_print(const struct alias *alias)
{
    char *text = words_join(&alias->words, 0);
    printf("%s\t%s\n", alias->name, text ? text : "");
    mem_free(text);
}

int command_alias(struct console *console, int argc, char **argv)
{
    if (argc == 1) {
        LIST_EACH(node, next, &console->aliases.list)
            alias_print(LIST_ENTRY(node, struct alias, link));
        return 0;
    }
    if (argc == 2) {
        const struct alias *alias = alias_find(&console->aliases, argv[1]);
        if (alias)
            alias_print(alias);
        return alias ? 0 : 1;
    }
    if (alias_define(&console->aliases, argv[1], argv + 2, argc - 2) != ALIAS_OK) {
        printf("alias: no memory\n");
        return 1;
    }
    return 0;
}

int command_unalias(struct console *console, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        alias_remove(&console->aliases, argv[i]);
    return 0;
}

int command_echo(struct console *console, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        printf("%s%s", i > 1 ? " " : "", argv[i]);
    printf("\n");
    return 0;
}
