/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-47
 * Messages to oneself arrive in order and are copies: later packing does not change them.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    int value = 0, bytes = 0, source = 0;
    pvm_initsend(PvmDataRaw);
    for (int i = 1; i <= 3; i++) {
        pvm_pkint(&i, 1, 1);
        CODE(pvm_send(me, i));
    }
    for (int i = 1; i <= 3; i++) {
        pvm_bufinfo(conf_take(me, -1), &bytes, NULL, &source);
        YES(source == me);
        NUM(bytes);
        while (pvm_getrbuf() && bytes > 0) {
            pvm_upkint(&value, 1, 1);
            NUM(value);
            bytes -= 4;
        }
    }
}

CONF_MAIN(run)
