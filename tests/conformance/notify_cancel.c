/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: NTF-6
 * A cancelled task or host notice is delivered at once; a mismatch in tag or kind does nothing.
 */
#include "conf.h"

static void child(void)
{
    conf_take(pvm_parent(), 1);
}

static void run(void)
{
    int tid = conf_spawn("child"), host = 0x40000;
    CODE(pvm_notify(PvmTaskExit, 50, 1, &tid));
    CODE(pvm_notify(PvmTaskExit | PvmNotifyCancel, 51, 1, &tid));
    MID(conf_take_within(-1, -1, 0.1));
    CODE(pvm_notify(PvmHostDelete | PvmNotifyCancel, 50, 1, &tid));
    MID(conf_take_within(-1, -1, 0.1));
    CODE(pvm_notify(PvmTaskExit | PvmNotifyCancel, 50, 1, &tid));
    YES(conf_take_int(-1, 50) == tid);
    CODE(pvm_pstat(tid));
    CODE(pvm_notify(PvmHostDelete, 60, 1, &host));
    CODE(pvm_notify(PvmHostDelete | PvmNotifyCancel, 60, 1, &host));
    YES(conf_take_int(-1, 60) == host);
    CODE(pvm_notify(PvmHostAdd, 70, 5, NULL));
    CODE(pvm_notify(PvmHostAdd | PvmNotifyCancel, 70, 5, NULL));
    MID(conf_take_within(-1, -1, 0.1));
    conf_signal(tid, 1);
    conf_wait_gone(tid);
    MID(conf_take_within(-1, -1, 0.1));
}

CONF_MAIN(run, {"child", child})
