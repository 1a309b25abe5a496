/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-42 API-47
 * The wait id set in a message reaches the receiver.
 */
#include "conf.h"

static void run(void)
{
    struct pvmminfo info;
    pvm_mytid();
    const int mid = pvm_initsend(PvmDataDefault);
    pvm_getminfo(mid, &info);
    info.wid = 4711;
    CODE(pvm_setminfo(mid, &info));
    CODE(pvm_send(pvm_mytid(), 1));
    CODE(pvm_getminfo(conf_take(-1, 1), &info));
    NUM(info.wid);
}

CONF_MAIN(run)
