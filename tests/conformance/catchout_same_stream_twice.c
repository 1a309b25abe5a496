/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-35
 * Changing the stream while collecting: what comes later goes to the new one.
 * stderr: ignored
 */
#include "conf.h"

static void child(void)
{
    puts("hello");
    fflush(stdout);
}

static int lines_of(FILE *sink)
{
    char line[256];
    int lines = 0;
    fflush(sink);
    rewind(sink);
    while (fgets(line, sizeof line, sink))
        lines++;
    fclose(sink);
    return lines;
}

static void run(void)
{
    FILE *first = tmpfile(), *second = tmpfile();
    pvm_setopt(PvmShowTids, 0);
    CODE(pvm_catchout(first));
    const int tid = conf_spawn("child");
    conf_wait_gone(tid);
    const double limit_s = conf_now_s() + 0.3;
    while (conf_now_s() < limit_s)
        (void)conf_take_within(-1, 77, 0.05);
    CODE(pvm_catchout(second));
    conf_spawn("child");
    CODE(pvm_exit());
    NUM(lines_of(first));
    NUM(lines_of(second));
}

CONF_MAIN(run, {"child", child})
