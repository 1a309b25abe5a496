/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-13
 * hosts: its output tells their number
 * Asking for all hosts, one host with and without the S bit, one task, unknown ones.
 */
#include "conf.h"

static void child(void)
{
    conf_take(pvm_parent(), 1);
}

static void show(int where_code, int me, int child_tid)
{
    int count = -1, mine = 0, child_seen = 0;
    struct pvmtaskinfo *tasks = NULL;
    const int code = pvm_tasks(where_code, &count, &tasks);
    for (int i = 0; code == 0 && i < count; i++) {
        mine += tasks[i].ti_tid == me;
        child_seen += tasks[i].ti_tid == child_tid;
    }
    printf("%s, me %d times, child %d times\n", conf_name(code), mine, child_seen);
}

static void run(void)
{
    const int me = pvm_mytid(), tid = conf_spawn("child");
    show(0, me, tid);
    show(0x40000, me, tid);
    show((int)0x80040000u, me, tid);
    show(me, me, tid);
    show(tid, me, tid);
    show(me + 1000, me, tid);
    show(0x140000, me, tid);
    show(0x140001, me, tid);
    show(-1, me, tid);
    show(INT_MIN, me, tid);
    CODE(pvm_tasks(0, NULL, NULL));
    struct pvmtaskinfo *tasks;
    CODE(pvm_tasks(0, NULL, &tasks));
    conf_signal(tid, 1);
    conf_wait_gone(tid);
    show(tid, me, tid);
    show(0, me, tid);
}

CONF_MAIN(run, {"child", child})
