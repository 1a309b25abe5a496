/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-48
 * Errors of mcast, the empty list, a list of only oneself.
 */
#include "conf.h"

static void run(void)
{
    int me = pvm_mytid();
    int host_tid = 0x40000, negative = -1, mixed[2] = {me, 0};
    CODE(pvm_mcast(&me, 1, 1));
    CODE(pvm_mcast(&negative, 1, -1));
    pvm_initsend(PvmDataDefault);
    CODE(pvm_mcast(&me, 0, 1));
    CODE(pvm_mcast(NULL, 0, 1));
    CODE(pvm_mcast(&me, 1, 1));
    CODE(pvm_mcast(&me, -1, 1));
    CODE(pvm_mcast(&me, 1, -1));
    CODE(pvm_mcast(&host_tid, 1, 1));
    CODE(pvm_mcast(&negative, 1, 1));
    CODE(pvm_mcast(mixed, 2, 1));
    CODE(pvm_mcast((int[]){0x140001}, 1, 1));
    CODE(pvm_mcast((int[]){me + 1000}, 1, 1));
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run)
