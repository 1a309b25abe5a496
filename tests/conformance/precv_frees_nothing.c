/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-50
 * Precv and psend leave both active buffers and their places alone.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    int value = 0;
    pvm_initsend(PvmDataDefault);
    pvm_pkint((int[]){1, 2}, 2, 1);
    pvm_send(me, 1);
    const int mid = conf_take(me, 1), sbuf = pvm_getsbuf();
    pvm_upkint(&value, 1, 1);
    pvm_psend(me, 2, &value, 1, PVM_INT);
    CODE(pvm_precv(me, 2, &value, 1, PVM_INT, NULL, NULL, NULL));
    YES(pvm_getrbuf() == mid && pvm_getsbuf() == sbuf);
    CODE(pvm_upkint(&value, 1, 1));
    NUM(value);
}

CONF_MAIN(run)
