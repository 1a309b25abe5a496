/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-45
 * Data packed in place are read by each send, so changes after packing count.
 */
#include "conf.h"

static void run(void)
{
    int value = 1, back = 0;
    const int me = pvm_mytid();
    pvm_initsend(PvmDataInPlace);
    CODE(pvm_pkint(&value, 1, 1));
    value = 2;
    CODE(pvm_send(me, 1));
    value = 3;
    CODE(pvm_send(me, 2));
    value = 4;
    conf_take(me, 1);
    pvm_upkint(&back, 1, 1);
    NUM(back);
    conf_take(me, 2);
    pvm_upkint(&back, 1, 1);
    NUM(back);
}

CONF_MAIN(run)
