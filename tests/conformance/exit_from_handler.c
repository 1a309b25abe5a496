/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-2 CONV-8
 * A SIGTERM handler that calls pvm_exit during a blocked receive and then ends the process.
 */
#include "conf.h"

static void leave(int number)
{
    (void)number;
    pvm_exit();
    _exit(0);
}

static void child(void)
{
    signal(SIGTERM, leave);
    conf_signal(pvm_parent(), 1);
    pvm_recv(-1, 99);
}

static void run(void)
{
    int tid = conf_spawn("child");
    conf_take(tid, 1);
    CODE(pvm_notify(PvmTaskExit, 5, 1, &tid));
    CODE(pvm_kill(tid));
    YES(conf_take_int(-1, 5) == tid);
    conf_wait_gone(tid);
}

CONF_MAIN(run, {"child", child})
