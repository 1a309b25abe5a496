/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands about settings: the environment (setenv, export, unexport) and the console's own
 * options as a task (getopt, setopt). CON-12, CON-13.
 */
#include "console/cmds.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

/* ---- environment ---- */

static char *words_after(int argc, char **argv, int first)
{
    size_t size_bytes = 1;
    for (int i = first; i < argc; i++)
        size_bytes += strlen(argv[i]) + 1;
    char *text = mem_alloc(size_bytes);
    if (!text)
        return NULL;
    size_t used = 0;
    text[0] = '\0';
    for (int i = first; i < argc; i++)
        used += str_format(text + used, size_bytes - used, "%s%s", i > first ? " " : "", argv[i]);
    return text;
}

int command_setenv(struct console *console, int argc, char **argv)
{
    if (argc == 1) {
        for (char **variable = environ; *variable; variable++)
            printf("%s\n", *variable);
        return 0;
    }
    if (argc == 2) {
        const char *value = getenv(argv[1]);
        if (value)
            printf("%s\n", value);
        return value ? 0 : 1;
    }
    char *value = words_after(argc, argv, 2);
    const int failed = !value || setenv(argv[1], value, 1);
    if (failed)
        printf("setenv: %s: %s\n", argv[1], value ? strerror(errno) : "no memory");
    mem_free(value);
    return failed;
}

static int export_list(void)
{
    const char *names = getenv("PVM_EXPORT");
    printf("PVM_EXPORT=%s\n", names ? names : "");
    return 0;
}

int command_export(struct console *console, int argc, char **argv)
{
    int status = 0;
    if (argc == 1)
        return export_list();
    for (int i = 1; i < argc; i++)
        status |= pvm_export(argv[i]) < 0;
    return status;
}

int command_unexport(struct console *console, int argc, char **argv)
{
    int status = 0;
    if (argc == 1)
        return export_list();
    for (int i = 1; i < argc; i++)
        status |= pvm_unexport(argv[i]) < 0;
    return status;
}

/* ---- options ---- */

static const struct {
    const char *name;
    int number;
} option_table[] = {
#define OPTION(name) {#name, name}
    OPTION(PvmRoute),
    OPTION(PvmDebugMask),
    OPTION(PvmAutoErr),
    OPTION(PvmOutputTid),
    OPTION(PvmOutputCode),
    OPTION(PvmTraceTid),
    OPTION(PvmTraceCode),
    OPTION(PvmTraceBuffer),
    OPTION(PvmTraceOptions),
    OPTION(PvmFragSize),
    OPTION(PvmResvTids),
    OPTION(PvmSelfOutputTid),
    OPTION(PvmSelfOutputCode),
    OPTION(PvmSelfTraceTid),
    OPTION(PvmSelfTraceCode),
    OPTION(PvmSelfTraceBuffer),
    OPTION(PvmSelfTraceOptions),
    OPTION(PvmShowTids),
    OPTION(PvmOutputContext),
    OPTION(PvmTraceContext),
    OPTION(PvmSelfOutputContext),
    OPTION(PvmSelfTraceContext),
    OPTION(PvmNoReset),
#undef OPTION
};

const char *option_name(int index)
{
    return index < (int)ARRAY_LEN(option_table) ? option_table[index].name : NULL;
}

/* Index in option_table, or -1 after saying so. */
static int option_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(option_table); i++) {
        if (strcmp(option_table[i].name, name) == 0)
            return (int)i;
    }
    printf("PVM Option \"%s\" Unknown.\n", name);
    return -1;
}

static void option_print(int index)
{
    printf("%s Currently Set to %d\n", option_table[index].name,
           pvm_getopt(option_table[index].number));
}

int command_getopt(struct console *console, int argc, char **argv)
{
    if (argc == 1) {
        for (int i = 0; option_name(i); i++)
            option_print(i);
        return 0;
    }
    const int index = option_find(argv[1]);
    if (index < 0)
        return 1;
    option_print(index);
    return 0;
}

int command_setopt(struct console *console, int argc, char **argv)
{
    int64_t value;
    const int index = option_find(argv[1]);
    if (index < 0)
        return 1;
    if (str_to_i64(argv[2], &value) || value < INT32_MIN || value > INT32_MAX) {
        printf("setopt: %s is not a number\n", argv[2]);
        return 1;
    }
    /* Old values may be negative (no sink is -1), and so are errors: an old value is what was
     * there. */
    const int before = pvm_getopt(option_table[index].number);
    const int result = pvm_setopt(option_table[index].number, (int)value);
    if (result < 0 && result != before) {
        printf("%s not changed: %s\n", argv[1], pvm_text(result));
        return 1;
    }
    printf("%s Changed from %d to %d\n", argv[1], result, (int)value);
    return 0;
}
