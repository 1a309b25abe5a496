/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-35
 * stderr: ignored
 * A line of 10,000 characters and 200 KB of lines arrive unbroken.
 */
#include "conf.h"

static void child(void)
{
    for (int i = 0; i < 10000; i++)
        putchar('a' + i % 26);
    putchar('\n');
    for (int i = 0; i < 2000; i++)
        printf("%0100d\n", i);
    fflush(stdout);
}

static void run(void)
{
    static char line[20000], expected[128];
    char path[PATH_MAX];
    FILE *sink = fdopen(conf_temporary(path), "w+");
    pvm_setopt(PvmShowTids, 0);
    CODE(pvm_catchout(sink));
    conf_spawn("child");
    CODE(pvm_exit());
    fflush(sink);
    rewind(sink);
    int lines = 0, wrong = 0;
    if (!fgets(line, sizeof line, sink))
        conf_fail("nothing collected");
    NUM(strlen(line));
    for (; fgets(line, sizeof line, sink); lines++) {
        snprintf(expected, sizeof expected, "%0100d\n", lines);
        wrong += strcmp(line, expected) != 0;
    }
    NUM(lines);
    NUM(wrong);
    fclose(sink);
    unlink(path);
}

CONF_MAIN(run, {"child", child})
