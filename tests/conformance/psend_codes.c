/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-49
 * stderr: ignored
 * Errors of psend; none of them touches the active send buffer.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    int value = 3;
    const int mid = pvm_initsend(PvmDataDefault);
    CODE(pvm_psend(me, 1, "text", 4, PVM_STR));
    CODE(pvm_psend(me, 1, &value, 1, 12));
    CODE(pvm_psend(me, 1, &value, 1, -1));
    CODE(pvm_psend(0, 1, &value, 1, PVM_INT));
    CODE(pvm_psend(-1, 1, &value, 1, PVM_INT));
    CODE(pvm_psend(0x40000, 1, &value, 1, PVM_INT));
    CODE(pvm_psend(me, -1, &value, 1, PVM_INT));
    YES(pvm_getsbuf() == mid);
    MID(pvm_nrecv(-1, -1));
    CODE(pvm_psend(me, 1, &value, 0, PVM_INT));
    int bytes = -1;
    pvm_bufinfo(conf_take(me, 1), &bytes, NULL, NULL);
    NUM(bytes);
    YES(pvm_getsbuf() == mid);
}

CONF_MAIN(run)
