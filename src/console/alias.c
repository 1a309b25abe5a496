/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of aliases and their replacement; what they mean is in alias.h.
 */
#include "console/alias.h"

#include "base/mem.h"

#include <string.h>

void alias_set_init(struct alias_set *set)
{
    list_init(&set->list);
}

static void alias_destroy(struct alias *alias)
{
    if (!alias)
        return;
    words_fini(&alias->words);
    mem_free(alias->name);
    mem_free(alias);
}

void alias_set_fini(struct alias_set *set)
{
    LIST_EACH(node, next, &set->list) {
        list_remove(node);
        alias_destroy(LIST_ENTRY(node, struct alias, link));
    }
}

const struct alias *alias_find(const struct alias_set *set, const char *name)
{
    LIST_EACH(node, next, &set->list) {
        const struct alias *alias = LIST_ENTRY(node, struct alias, link);
        if (strcmp(alias->name, name) == 0)
            return alias;
    }
    return NULL;
}

int alias_remove(struct alias_set *set, const char *name)
{
    LIST_EACH(node, next, &set->list) {
        struct alias *alias = LIST_ENTRY(node, struct alias, link);
        if (strcmp(alias->name, name) == 0) {
            list_remove(node);
            alias_destroy(alias);
            return 0;
        }
    }
    return -1;
}

static enum alias_result alias_create(const char *name, char *const *words, int count,
                                      struct alias **created)
{
    struct alias *alias = mem_calloc(1, sizeof(*alias));
    if (!alias)
        return ALIAS_NO_MEMORY;
    words_init(&alias->words);
    list_init(&alias->link);
    alias->name = mem_strdup(name);
    enum line_result result = alias->name ? LINE_OK : LINE_NO_MEMORY;
    for (int i = 0; i < count && result == LINE_OK; i++)
        result = words_add(&alias->words, words[i]);
    if (result == LINE_OK) {
        *created = alias;
        return ALIAS_OK;
    }
    alias_destroy(alias);
    return result == LINE_NO_MEMORY ? ALIAS_NO_MEMORY : ALIAS_TOO_LONG;
}

enum alias_result alias_define(struct alias_set *set, const char *name, char *const *words,
                               int count)
{
    CHECK(count >= 1);
    struct alias *alias;
    const enum alias_result result = alias_create(name, words, count, &alias);
    if (result != ALIAS_OK)
        return result;
    alias_remove(set, name);
    struct list *before = &set->list;
    LIST_EACH(node, next, &set->list) {
        before = node;
        if (strcmp(LIST_ENTRY(node, struct alias, link)->name, name) > 0)
            break;
        before = &set->list;
    }
    list_push_back(before, &alias->link);
    return ALIAS_OK;
}

static enum alias_result first_replace(struct words *words, const struct alias *alias)
{
    if (words->count - 1 + alias->words.count > LINE_WORDS_MAX)
        return ALIAS_TOO_LONG;
    struct words longer;
    words_init(&longer);
    enum line_result result = LINE_OK;
    for (int i = 0; i < alias->words.count && result == LINE_OK; i++)
        result = words_add(&longer, alias->words.word[i]);
    for (int i = 1; i < words->count && result == LINE_OK; i++)
        result = words_add(&longer, words->word[i]);
    if (result != LINE_OK) {
        words_fini(&longer);
        return ALIAS_NO_MEMORY;
    }
    words_fini(words);
    *words = longer;
    return ALIAS_OK;
}

static int set_count(const struct alias_set *set)
{
    int count = 0;
    LIST_EACH(node, next, &set->list)
        count++;
    return count;
}

enum alias_result alias_expand(const struct alias_set *set, struct words *words)
{
    /* More replacements than there are aliases means that one was met twice. */
    int left = set_count(set);
    while (words->count > 0) {
        const struct alias *alias = alias_find(set, words->word[0]);
        if (!alias)
            break;
        if (left-- == 0)
            return ALIAS_LOOP;
        const enum alias_result result = first_replace(words, alias);
        if (result != ALIAS_OK)
            return result;
        if (strcmp(words->word[0], alias->name) == 0)
            break;
    }
    return ALIAS_OK;
}
