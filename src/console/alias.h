/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Aliases of the console (CON-5): a name that stands for words. Pure. Words: console/line.h.
 */
#ifndef CONSOLE_ALIAS_H
#define CONSOLE_ALIAS_H

#include "base/list.h"
#include "console/line.h"

struct alias {
    struct list link; /* in alias_set.list, sorted by name */
    char *name;
    struct words words; /* at least one */
};

struct alias_set {
    struct list list;
};

enum alias_result { ALIAS_OK, ALIAS_LOOP, ALIAS_TOO_LONG, ALIAS_NO_MEMORY };

void alias_set_init(struct alias_set *set);
void alias_set_fini(struct alias_set *set);
/* Defines or replaces |name| as the |count| words at |words| (copied, count >= 1). On failure
 * nothing changed. */
enum alias_result alias_define(struct alias_set *set, const char *name, char *const *words,
                               int count);
/* 0, or -1 when there is no such alias. */
int alias_remove(struct alias_set *set, const char *name);
const struct alias *alias_find(const struct alias_set *set, const char *name);
/* Replaces the first word of |words| while it is the name of an alias. An alias whose first word
 * is its own name is replaced once; aliases that lead to each other are ALIAS_LOOP. Unless
 * ALIAS_OK is returned |words| is not usable for anything but words_fini(). */
enum alias_result alias_expand(const struct alias_set *set, struct words *words);

#endif
