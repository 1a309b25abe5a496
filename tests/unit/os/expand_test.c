/* SPDX-License-Identifier: BSD-3-Clause */
/* $NAME and ${NAME} in host options (HF-5). */
#include "os/expand.h"

#include "base/mem.h"
#include "tap.h"

static char home[] = "/home/ann", empty[] = "", arch[] = "LINUX64";

static char *lookup(const char *name)
{
    if (strcmp(name, "HOME") == 0)
        return home;
    if (strcmp(name, "EMPTY") == 0)
        return empty;
    return strcmp(name, "PVM_ARCH") == 0 ? arch : NULL;
}

static void becomes(const char *text, const char *wanted)
{
    char *got = expand_variables(text, lookup);
    SAME_TEXT(got, wanted, text[0] ? text : "(empty)");
    mem_free(got);
}

int main(void)
{
    becomes("", "");
    becomes("/usr/bin", "/usr/bin");
    becomes("$HOME/pvm3/bin/$PVM_ARCH:/x", "/home/ann/pvm3/bin/LINUX64:/x");
    becomes("${HOME}x$HOMEx", "/home/annx$HOMEx");
    becomes("a$EMPTY-b", "a-b");
    becomes("$UNKNOWN/${UNKNOWN}", "$UNKNOWN/${UNKNOWN}");
    becomes("${HOME", "${HOME");
    becomes("$", "$");
    becomes("$$HOME", "$/home/ann");
    becomes("${}", "${}");
    becomes("100$ and ${HO ME}", "100$ and ${HO ME}");
    mem_fail_at(1, 1);
    OK(expand_variables("$HOME", lookup) == NULL, "without memory there is no result");
    mem_fail_at(0, 0);
    return tap_done();
}
