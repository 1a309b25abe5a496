/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands about the console and its machine as a whole: id, version, halt, quit, tickle.
 */
#include "console/cmds.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

int command_id(struct console *console, int argc, char **argv)
{
    printf("t%x\n", (unsigned)console->tid);
    return 0;
}

int command_version(struct console *console, int argc, char **argv)
{
    printf("%s\n", pvm_version());
    return 0;
}

int command_halt(struct console *console, int argc, char **argv)
{
    /* Comes back when the daemon has closed the connection: SIGTERM, which it sends to all its
     * tasks, is only noted here (wait.c). */
    const int result = pvm_halt();
    if (result < 0) {
        printf("halt: %s\n", pvm_text(result));
        return 1;
    }
    console->leaving = true;
    console->exit_status = EXIT_SUCCESS;
    return 0;
}

int command_quit(struct console *console, int argc, char **argv)
{
    printf("\nConsole: exit handler called\npvmd still running.\n");
    fflush(stdout);
    console->leaving = true;
    console->exit_status = EXIT_SUCCESS;
    return 0;
}

int command_tickle(struct console *console, int argc, char **argv)
{
    enum { NUMBERS_MAX = 10 };
    int numbers[NUMBERS_MAX];
    int answers[NUMBERS_MAX];
    int answer_count = 0;
    for (int i = 1; i < argc; i++) {
        int64_t number;
        if (str_to_i64(argv[i], &number) || number < INT32_MIN || number > UINT32_MAX) {
            printf("tickle: %s is not a number\n", argv[i]);
            return 1;
        }
        numbers[i - 1] = (int)(uint32_t)number;
    }
    const int result = pvm_tickle(argc - 1, numbers, &answer_count, answers);
    if (result < 0) {
        printf("tickle: %s\n", pvm_text(result));
        return 1;
    }
    printf("( ");
    for (int i = 0; i < answer_count && i < NUMBERS_MAX; i++)
        printf("%d ", answers[i]);
    printf(")\n");
    return 0;
}
