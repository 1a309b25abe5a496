/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: NTF-3
 * A notice for a living host does not come; any tid of that host will do.
 */
#include "conf.h"

static void run(void)
{
    int me = pvm_mytid(), host = 0x40000;
    CODE(pvm_notify(PvmHostDelete, 50, 1, &me));
    CODE(pvm_notify(PvmHostDelete, 51, 1, &host));
    MID(conf_take_within(-1, -1, 0.1));
    CODE(pvm_notify(PvmHostDelete | PvmNotifyCancel, 50, 1, &me));
    YES(conf_take_int(-1, 50) == me);
    CODE(pvm_notify(PvmHostDelete | PvmNotifyCancel, 51, 1, &host));
    YES(conf_take_int(-1, 51) == host);
}

CONF_MAIN(run)
