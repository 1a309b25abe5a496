/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-35 API-61
 * stderr: ignored
 * With PvmShowTids 0 only the raw lines appear.
 */
#include "conf.h"

static void child(void)
{
    printf("one\ntwo\nopen end");
    fflush(stdout);
}

static void run(void)
{
    char path[PATH_MAX], line[256];
    FILE *sink = fdopen(conf_temporary(path), "w+");
    CODE(pvm_setopt(PvmShowTids, 0));
    CODE(pvm_catchout(sink));
    conf_spawn("child");
    CODE(pvm_exit());
    fflush(sink);
    rewind(sink);
    while (fgets(line, sizeof line, sink)) {
        line[strcspn(line, "\n")] = 0;
        puts(line);
    }
    fclose(sink);
    unlink(path);
}

CONF_MAIN(run, {"child", child})
