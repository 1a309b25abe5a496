/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands about tasks: ps, pstat, kill, sig. Starting tasks: cmds_spawn.c. Layout: CON-17, CON-19.
 */
#include "console/cmds.h"

#include "base/check.h"
#include "base/str.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* ---- the table of tasks ---- */

void task_head_print(bool is_long)
{
    printf("%24s %8s%s   FLAG 0x COMMAND\n", "HOST", "TID", is_long ? "     PTID    PID" : "");
}

/* State as ps prints it: the bits of ti_flag, high bit first (CST-14). */
static void flags_format(int flags, char *text, size_t size_bytes)
{
    static const struct {
        int bit;
        char letter;
    } letters[] = {{0x400, 'T'}, {0x200, 'H'}, {0x100, 'R'}, {0x20, 's'},
                   {0x10, 'o'},  {8, 'a'},     {4, 'c'},     {2, 'f'}};
    size_t used = str_format(text, size_bytes, "%x", (unsigned)flags);
    char separator = '/';
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (flags & letters[i].bit) {
            used += str_format(text + used, size_bytes - used, "%c%c", separator,
                               letters[i].letter);
            separator = ',';
        }
    }
}

void task_row_print(const struct console *console, const struct pvmhostinfo *hosts, int host_count,
                    const struct pvmtaskinfo *task, bool is_long)
{
    char flags[64];
    const char *name = task->ti_a_out && *task->ti_a_out ? task->ti_a_out : "-";
    flags_format(task->ti_flag, flags, sizeof(flags));
    printf("%24s ", host_name(hosts, host_count, task->ti_host));
    if (task->ti_tid == console->tid)
        printf("%8s", "(cons)");
    else if (task->ti_tid == 0)
        printf("%8s", "-");
    else
        printf("%8x", (unsigned)task->ti_tid);
    if (is_long && task->ti_ptid)
        printf(" %8x %6d", (unsigned)task->ti_ptid, task->ti_pid);
    else if (is_long)
        printf(" %8s %6d", "-", task->ti_pid);
    printf(" %9s %-12s\n", flags, name);
}

/* ---- ps ---- */

struct ps_options {
    int where; /* for pvm_tasks(); -1: the host of this console */
    bool is_long;
    bool is_everything;
    int status;
};

static void place_option_read(struct ps_options *options, const struct pvmhostinfo *hosts,
                              int host_count, char letter, const char *value)
{
    if (letter == 'h') {
        options->where = tid_parse(value);
        if (options->where < 0)
            printf("not a task id: %s\n", value);
    } else {
        options->where = -1;
        for (int i = 0; i < host_count && options->where < 0; i++) {
            if (strcmp(hosts[i].hi_name, value) == 0)
                options->where = hosts[i].hi_tid;
        }
        if (options->where < 0)
            printf("unknown host %s\n", value);
    }
    if (options->where < 0)
        options->status = 1;
}

/* Letters of one word; h and n take the rest of it, or |next| when there is no rest. Returns
 * whether |next| was taken. */
static bool letters_read(struct ps_options *options, const struct pvmhostinfo *hosts,
                         int host_count, const char *word, const char *next)
{
    for (const char *letter = word + 1; *letter; letter++) {
        switch (*letter) {
        case 'a':
            options->where = 0;
            break;
        case 'l':
            options->is_long = true;
            break;
        case 'x':
            options->is_everything = true;
            break;
        case 'h':
        case 'n': {
            const char *value = letter[1] || !next ? letter + 1 : next;
            place_option_read(options, hosts, host_count, *letter, value);
            return value == next;
        }
        default:
            printf("unknown flag -%c\n", *letter);
            options->status = 1;
        }
    }
    return false;
}

int command_ps(struct console *console, int argc, char **argv)
{
    struct ps_options options = {.where = -1};
    struct pvmhostinfo *hosts;
    struct pvmtaskinfo *tasks;
    int host_count;
    int task_count;
    int result = pvm_config(&host_count, NULL, &hosts);
    if (result < 0) {
        printf("ps: %s\n", pvm_text(result));
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-' && letters_read(&options, hosts, host_count, argv[i], argv[i + 1]))
            i++;
    }
    if (options.where < 0)
        options.where = pvm_tidtohost(console->tid);
    result = pvm_tasks(options.where, &task_count, &tasks);
    if (result < 0)
        return 1;
    task_head_print(options.is_long);
    for (int i = 0; i < task_count; i++) {
        if (options.is_everything || (tasks[i].ti_tid != 0 && tasks[i].ti_tid != console->tid))
            task_row_print(console, hosts, host_count, &tasks[i], options.is_long);
    }
    return options.status;
}

/* ---- pstat, kill, sig ---- */

int command_pstat(struct console *console, int argc, char **argv)
{
    int status = 0;
    for (int i = 1; i < argc; i++) {
        const int tid = tid_parse(argv[i]);
        const int result = tid < 0 ? PvmBadParam : pvm_pstat(tid);
        if (tid < 0)
            printf("%9s  %s\n", argv[i], pvm_text(result));
        else
            printf("t%8x  %s\n", (unsigned)tid, result < 0 ? pvm_text(result) : "run");
        if (result < 0)
            status = 1;
    }
    return status;
}

/* One signal to one task, given by its word. */
static int signal_send(const struct console *console, const char *command, const char *word,
                       int number)
{
    const int tid = tid_parse(word);
    if (tid < 0) {
        fprintf(stderr, "%s: %s is not a task id\n", command, word);
        return 1;
    }
    if (tid == console->tid) {
        printf("t%x: that's me.\n", (unsigned)tid);
        return 1;
    }
    return pvm_sendsig(tid, number) < 0;
}

static int children_kill(const struct console *console, const char *word)
{
    const int parent = tid_parse(word);
    struct pvmtaskinfo *tasks;
    int count;
    int status = 0;
    if (parent < 0) {
        fprintf(stderr, "kill: %s is not a task id\n", word);
        return 1;
    }
    if (pvm_tasks(0, &count, &tasks) < 0)
        return 1;
    for (int i = 0; i < count; i++) {
        if (tasks[i].ti_ptid == parent && tasks[i].ti_tid > 0 && tasks[i].ti_tid != console->tid)
            status |= pvm_kill(tasks[i].ti_tid) < 0;
    }
    return status;
}

int command_kill(struct console *console, int argc, char **argv)
{
    const bool children = strcmp(argv[1], "-c") == 0;
    if (argv[1][0] == '-' && !children) {
        printf("unknown flag %s\n", argv[1]);
        return 1;
    }
    if (argc < 2 + children) {
        printf("incorrect arg count\n");
        return 1;
    }
    int status = 0;
    for (int i = 1 + children; i < argc; i++)
        status |= children ? children_kill(console, argv[i])
                           : signal_send(console, "kill", argv[i], SIGTERM);
    return status;
}

/* -1 when |text| is neither a number nor a name known here. */
static int signal_parse(const char *text)
{
    static const struct {
        const char *name;
        int number;
    } names[] = {
#define SIGNAL(name) {#name, SIG##name}
        SIGNAL(HUP),  SIGNAL(INT),  SIGNAL(QUIT), SIGNAL(ABRT), SIGNAL(KILL), SIGNAL(ALRM),
        SIGNAL(TERM), SIGNAL(USR1), SIGNAL(USR2), SIGNAL(STOP), SIGNAL(TSTP), SIGNAL(CONT),
#undef SIGNAL
    };
    int64_t number;
    if (str_to_i64(text, &number) == 0)
        return number >= 0 && number <= INT32_MAX ? (int)number : -1;
    if (str_has_prefix(text, "SIG"))
        text += 3;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(text, names[i].name) == 0)
            return names[i].number;
    }
    return -1;
}

int command_sig(struct console *console, int argc, char **argv)
{
    const int number = signal_parse(argv[1]);
    if (number < 0) {
        printf("sig: %s is not a signal\n", argv[1]);
        return 1;
    }
    int status = 0;
    for (int i = 2; i < argc; i++)
        status |= signal_send(console, "sig", argv[i], number);
    return status;
}
