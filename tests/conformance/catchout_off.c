/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-35
 * stderr: ignored
 * NULL ends collection for later tasks; the options show both states.
 */
#include "conf.h"

static void child(void)
{
    puts(conf_argv[2]);
    fflush(stdout);
    conf_signal(pvm_parent(), 1);
}

static void start(char *text)
{
    char *arguments[] = {"child", text, NULL};
    pvm_spawn(conf_program, arguments, 0, NULL, 1, NULL);
    conf_take(-1, 1);
}

static void run(void)
{
    char path[PATH_MAX], line[256];
    FILE *sink = fdopen(conf_temporary(path), "w+");
    pvm_setopt(PvmShowTids, 0);
    CODE(pvm_catchout(sink));
    YES(pvm_getopt(PvmOutputTid) == pvm_mytid());
    printf("context %x\n", (unsigned)pvm_getopt(PvmOutputContext));
    printf("tag %x\n", (unsigned)pvm_getopt(PvmOutputCode));
    start("collected");
    CODE(pvm_catchout(NULL));
    CODE(pvm_getopt(PvmOutputTid));
    start("not collected");
    CODE(pvm_exit());
    fflush(sink);
    rewind(sink);
    while (fgets(line, sizeof line, sink))
        fputs(line, stdout);
    fclose(sink);
    unlink(path);
}

CONF_MAIN(run, {"child", child})
