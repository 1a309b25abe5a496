/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: NTF-1 API-61
 * With PvmResvTids a negative tag is accepted for notices.
 */
#include "conf.h"

static void child(void)
{
}

static void run(void)
{
    int tid = conf_spawn("child");
    conf_wait_gone(tid);
    CODE(pvm_notify(PvmTaskExit, -9, 1, &tid));
    pvm_setopt(PvmResvTids, 1);
    CODE(pvm_notify(PvmTaskExit, -9, 1, &tid));
    YES(conf_take_int(-1, -9) == tid);
}

CONF_MAIN(run, {"child", child})
