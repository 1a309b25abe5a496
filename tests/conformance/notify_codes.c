/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: NTF-1 NTF-2 NTF-3
 * Errors of notify by kind, tag and count.
 */
#include "conf.h"

static void run(void)
{
    int me = pvm_mytid(), zero = 0, host = 0x40000;
    CODE(pvm_notify(0, 1, 1, &me));
    CODE(pvm_notify(6, 1, 1, &me));
    CODE(pvm_notify(-1, 1, 1, &me));
    CODE(pvm_notify(PvmTaskExit, -1, 1, &me));
    CODE(pvm_notify(PvmTaskExit, 1, 0, &me));
    CODE(pvm_notify(PvmTaskExit, 1, -1, &me));
    CODE(pvm_notify(PvmTaskExit, 1, 1, &zero));
    CODE(pvm_notify(PvmTaskExit, 1, 1, &host));
    CODE(pvm_notify(PvmHostDelete, 1, 0, &host));
    CODE(pvm_notify(PvmHostDelete, 1, -1, &host));
    CODE(pvm_notify(PvmHostDelete, -1, 1, &host));
    CODE(pvm_notify(PvmHostAdd, 1, 0, NULL));
    CODE(pvm_notify(PvmHostAdd, 1, 1, NULL));
    CODE(pvm_notify(PvmHostAdd, 1, -1, NULL));
    CODE(pvm_notify(PvmHostAdd, -1, 1, NULL));
    CODE(pvm_notify(PvmHostAdd | PvmNotifyCancel, 1, 0, NULL));
    CODE(pvm_notify(PvmRouteDelete, 1, 0, &me));
    CODE(pvm_notify(PvmRouteDelete, 1, 1, &zero));
    CODE(pvm_notify(PvmRouteAdd, 1, 0, NULL));
    CODE(pvm_notify(512 | PvmTaskExit, 1, 1, &me));
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run)
