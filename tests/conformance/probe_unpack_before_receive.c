/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-54 API-39
 * A probed message can be looked into with setrbuf and is still received from its start.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    int values[2] = {5, 6}, value = 0;
    pvm_initsend(PvmDataDefault);
    pvm_pkint(values, 2, 1);
    pvm_send(me, 4);
    int mid;
    while ((mid = pvm_probe(me, 4)) == 0)
        conf_pause_ms(1);
    MID(pvm_setrbuf(mid));
    CODE(pvm_upkint(&value, 1, 1));
    NUM(value);
    YES(pvm_setrbuf(0) == mid);
    YES(pvm_recv(me, 4) == mid);
    CODE(pvm_upkint(&value, 1, 1));
    NUM(value);
    CODE(pvm_upkint(&value, 1, 1));
    NUM(value);
}

CONF_MAIN(run)
