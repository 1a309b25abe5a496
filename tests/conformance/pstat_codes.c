/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-14 CONV-5
 * State of tasks by tid: living, ended, never there, no task's tid.
 */
#include "conf.h"

static void child(void)
{
    conf_take(pvm_parent(), 1);
}

static void run(void)
{
    const int me = pvm_mytid(), tid = conf_spawn("child");
    CODE(pvm_pstat(me));
    CODE(pvm_pstat(tid));
    conf_signal(tid, 1);
    conf_wait_gone(tid);
    pvm_errno = 7;
    CODE(pvm_pstat(tid));
    NUM(pvm_errno);
    CODE(pvm_pstat(me + 1000));
    CODE(pvm_pstat(0x140001));
    CODE(pvm_pstat(0));
    CODE(pvm_pstat(-1));
    CODE(pvm_pstat(0x40000));
    CODE(pvm_pstat((int)0x80040000));
}

CONF_MAIN(run, {"child", child})
