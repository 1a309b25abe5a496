/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-35
 * stderr: ignored
 * A last line without an end gets one; stderr comes the same way.
 */
#include "conf.h"

static void child(void)
{
    fprintf(stderr, "to stderr\n");
    printf("whole\nunfinished");
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
        const int ended = strchr(line, '\n') != NULL;
        line[strcspn(line, "\n")] = 0;
        conf_print_masked(ended ? "output" : "open output", line, tid);
    }
    fclose(sink);
    unlink(path);
}

CONF_MAIN(run, {"child", child})
