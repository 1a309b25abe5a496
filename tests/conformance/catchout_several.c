/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-35
 * stderr: ignored
 * Output of three tasks: each has one BEGIN and one EOF round its own lines in order.
 */
#include "conf.h"

static void child(void)
{
    for (int i = 0; i < 20; i++)
        printf("line %d\n", i);
    fflush(stdout);
}

static void run(void)
{
    char path[PATH_MAX], line[256];
    int tids[3], state[3] = {0}, wrong = 0;
    FILE *sink = fdopen(conf_temporary(path), "w+");
    CODE(pvm_catchout(sink));
    conf_spawn_many("child", 3, tids);
    CODE(pvm_exit());
    fflush(sink);
    rewind(sink);
    while (fgets(line, sizeof line, sink)) {
        char expected[64];
        int who = 0;
        for (int i = 1; i < 3; i++) {
            snprintf(expected, sizeof expected, "[t%x] ", (unsigned)tids[i]);
            who = strncmp(line, expected, strlen(expected)) ? who : i;
        }
        snprintf(expected, sizeof expected, "[t%x] line %d\n", (unsigned)tids[who], state[who] - 1);
        if (state[who] == 0)
            snprintf(expected, sizeof expected, "[t%x] BEGIN\n", (unsigned)tids[who]);
        if (state[who] == 21)
            snprintf(expected, sizeof expected, "[t%x] EOF\n", (unsigned)tids[who]);
        wrong += strcmp(line, expected) != 0;
        state[who]++;
    }
    NUM(wrong);
    printf("%d %d %d\n", state[0], state[1], state[2]);
    fclose(sink);
    unlink(path);
}

CONF_MAIN(run, {"child", child})
