/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-47 API-61
 * The same with direct routes asked for: sending to the dead is no error and does not hang.
 */
#include "conf.h"

static void child(void)
{
}

static void run(void)
{
    CODE(pvm_setopt(PvmRoute, PvmRouteDirect));
    const int tid = conf_spawn("child");
    conf_wait_gone(tid);
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&(int){1}, 1, 1);
    CODE(pvm_send(tid, 1));
    CODE(pvm_send(tid, 1));
    CODE(pvm_send(pvm_mytid(), 2));
    NUM(conf_take_int(-1, -1));
}

CONF_MAIN(run, {"child", child})
