/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-35
 * stderr: ignored
 * Output of tasks spawned by a collected task is collected too, and pvm_exit waits for it.
 */
#include "conf.h"

static void grandchild(void)
{
    conf_pause_ms(100);
    puts("from the grandchild");
    fflush(stdout);
}

static void child(void)
{
    conf_spawn("grandchild");
    puts("from the child");
    fflush(stdout);
}

static void run(void)
{
    char path[PATH_MAX], line[256];
    int children = 0, grandchildren = 0, begins = 0, ends = 0;
    FILE *sink = fdopen(conf_temporary(path), "w+");
    CODE(pvm_catchout(sink));
    conf_spawn("child");
    CODE(pvm_exit());
    fflush(sink);
    rewind(sink);
    while (fgets(line, sizeof line, sink)) {
        children += strstr(line, "] from the child\n") != NULL;
        grandchildren += strstr(line, "] from the grandchild\n") != NULL;
        begins += strstr(line, "] BEGIN\n") != NULL;
        ends += strstr(line, "] EOF\n") != NULL;
    }
    printf("%d %d %d %d\n", children, grandchildren, begins, ends);
    fclose(sink);
    unlink(path);
}

CONF_MAIN(run, {"child", child}, {"grandchild", grandchild})
