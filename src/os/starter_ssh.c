/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Command lines that start a daemon elsewhere: see the header. The remote login shell may be
 * anything that knows single quotes, so what needs a Bourne shell is handed to `sh -c`.
 */
#include "os/starter_ssh.h"

#include "base/mem.h"
#include "os/starter.h"

#include <string.h>

void shell_quote(struct strbuf *text, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:,=@%+";
    if (word[0] && strspn(word, plain) == strlen(word)) {
        strbuf_add(text, word, strlen(word));
        return;
    }
    strbuf_add(text, "'", 1);
    for (; *word; word++) {
        if (*word == '\'')
            strbuf_add(text, "'\\''", 4);
        else
            strbuf_add(text, word, 1);
    }
    strbuf_add(text, "'", 1);
}

void starter_remote_command(struct strbuf *text, const struct starter_target *target)
{
    if (target->daemon && target->daemon[0]) {
        /* Unquoted: the remote shell expands $NAME and ~ in it (HF-5). */
        strbuf_addf(text, "%s%s", target->daemon, target->arguments);
        return;
    }
    /* The same place as here first: clusters mostly have the same files everywhere; then PATH. */
    struct strbuf script;
    strbuf_init(&script);
    strbuf_addf(&script, "p=");
    shell_quote(&script, target->own_path);
    strbuf_addf(&script, "; test -x \"$p\" || p=pvmd; exec \"$p\" \"$@\"");
    strbuf_addf(text, "sh -c ");
    shell_quote(text, strbuf_text(&script));
    strbuf_addf(text, " pvmd%s", target->arguments);
    text->failed |= script.failed;
    strbuf_fini(&script);
}

static int add_words(struct word_list *list, const char *text)
{
    while (*text) {
        text += strspn(text, " \t");
        size_t length = strcspn(text, " \t");
        if (length == 0)
            break;
        char *word = mem_strndup(text, length);
        int result = word ? word_list_add(list, word) : -1;
        mem_free(word);
        if (result < 0)
            return -1;
        text += length;
    }
    return 0;
}

static int add_login(struct word_list *list, const struct starter_target *target)
{
    if (!target->login || !target->login[0])
        return 0;
    return word_list_add(list, "-l") < 0 || word_list_add(list, target->login) < 0 ? -1 : 0;
}

static int build_ssh(struct word_list *list, const struct starter_target *target, const char *rsh,
                     const char *command)
{
    if (rsh && *rsh) /* rsh and its kin: host first, as ever (DMN-6) */
        return add_words(list, rsh) < 0 || word_list_add(list, target->address) < 0 ||
                       add_login(list, target) < 0 || word_list_add(list, command) < 0
                   ? -1
                   : 0;
    static const char *const options[] = {"ssh", "-T", "-x", "-o", "BatchMode=yes"};
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (word_list_add(list, options[i]) < 0)
            return -1;
    return add_login(list, target) < 0 || word_list_add(list, "--") < 0 ||
                   word_list_add(list, target->address) < 0 || word_list_add(list, command) < 0
               ? -1
               : 0;
}

char **starter_ssh_argv(const struct starter_target *target, const char *rsh)
{
    struct word_list list = {0};
    struct strbuf command;
    strbuf_init(&command);
    starter_remote_command(&command, target);
    int result = command.failed ? -1 : build_ssh(&list, target, rsh, strbuf_text(&command));
    strbuf_fini(&command);
    if (result == 0)
        return list.words;
    word_list_free(list.words);
    return NULL;
}

char **starter_local_argv(const struct starter_target *target)
{
    struct word_list list = {0};
    struct strbuf command;
    strbuf_init(&command);
    strbuf_addf(&command, "exec ");
    shell_quote(&command, target->own_path);
    strbuf_addf(&command, "%s", target->arguments);
    int result = command.failed || word_list_add(&list, "/bin/sh") < 0 ||
                         word_list_add(&list, "-c") < 0 ||
                         word_list_add(&list, strbuf_text(&command)) < 0
                     ? -1
                     : 0;
    strbuf_fini(&command);
    if (result == 0)
        return list.words;
    word_list_free(list.words);
    return NULL;
}
