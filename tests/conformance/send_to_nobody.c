/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-47
 * Messages to an ended task, to a tid never given out and to an unknown host vanish silently.
 */
#include "conf.h"

static void child(void)
{
}

static void run(void)
{
    const int tid = conf_spawn("child");
    conf_wait_gone(tid);
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&(int){1}, 1, 1);
    CODE(pvm_send(tid, 1));
    CODE(pvm_send(pvm_mytid() + 1000, 1));
    CODE(pvm_send(0x140001, 1));
    CODE(pvm_send(pvm_mytid(), 2));
    NUM(conf_take_int(-1, -1));
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run, {"child", child})
