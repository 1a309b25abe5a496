/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-35
 * stderr: ignored
 * Collected output of one task: BEGIN, its lines, EOF, with the tid before each.
 */
#include "conf.h"

static void child(void)
{
    printf("first line\n\nthird  line\n");
    fflush(stdout);
}

static void run(void)
{
    char path[PATH_MAX], line[256];
    FILE *sink = fdopen(conf_temporary(path), "w+");
    CODE(pvm_catchout(sink));
    const int tid = conf_spawn("child");
    CODE(pvm_exit());
    fflush(sink);
    rewind(sink);
    while (fgets(line, sizeof line, sink)) {
        line[strcspn(line, "\n")] = 0;
        conf_print_masked("output", line, tid);
    }
    fclose(sink);
    unlink(path);
}

CONF_MAIN(run, {"child", child})
