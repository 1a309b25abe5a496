/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: NTF-2 NTF-3
 * Asking about an ended task, a tid never used or an unknown host is answered at once.
 */
#include "conf.h"

static void child(void)
{
}

static void run(void)
{
    int tid = conf_spawn("child"), never = pvm_mytid() + 5000, far = 0x140001, host = 0x140000;
    conf_wait_gone(tid);
    CODE(pvm_notify(PvmTaskExit, 50, 1, &tid));
    YES(conf_take_int(-1, 50) == tid);
    CODE(pvm_notify(PvmTaskExit, 51, 1, &never));
    YES(conf_take_int(-1, 51) == never);
    CODE(pvm_notify(PvmTaskExit, 52, 1, &far));
    YES(conf_take_int(-1, 52) == far);
    CODE(pvm_notify(PvmHostDelete, 53, 1, &host));
    YES(conf_take_int(-1, 53) == host);
    CODE(pvm_notify(PvmHostDelete, 54, 1, &far));
    printf("%x\n", (unsigned)conf_take_int(-1, 54));
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run, {"child", child})
