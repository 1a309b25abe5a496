/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-33 API-14
 * A killed task is gone and its watcher is told.
 */
#include "conf.h"

static void child(void)
{
    conf_signal(pvm_parent(), 1);
    conf_take(pvm_parent(), 2);
}

static void run(void)
{
    int tid = conf_spawn("child");
    conf_take(tid, 1);
    CODE(pvm_notify(PvmTaskExit, 7, 1, &tid));
    CODE(pvm_kill(tid));
    YES(conf_take_int(-1, 7) == tid);
    CODE(pvm_pstat(tid));
    CODE(pvm_kill(tid));
}

CONF_MAIN(run, {"child", child})
