/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-61 INT-11
 * Children's output as messages with the spawner's own tag: start, spawn notice, text, end.
 */
#include "conf.h"

static void child(void)
{
    printf("some text\n");
    fflush(stdout);
}

static void run(void)
{
    char text[4096], all[4096] = "";
    int starts = 0, spawns = 0, ends = 0;
    pvm_setopt(PvmOutputTid, pvm_mytid());
    pvm_setopt(PvmOutputContext, 0);
    pvm_setopt(PvmOutputCode, 60);
    const int task = conf_spawn("child");
    while (starts + spawns + ends < 3) {
        int tid = 0, length = 0, source = 0;
        pvm_bufinfo(conf_take(-1, 60), NULL, NULL, &source);
        pvm_unpackf("%d%d", &tid, &length);
        if (tid != task)
            conf_fail("output of another task");
        starts += length == -2;
        spawns += length == -1;
        ends += length == 0;
        if (length > 0 && length < (int)sizeof text) {
            pvm_upkbyte(text, length, 1);
            strncat(all, text, length);
        }
    }
    printf("%d %d %d\n%s", starts, spawns, ends, all);
    pvm_setopt(PvmOutputTid, 0);
}

CONF_MAIN(run, {"child", child})
