/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-39
 * Two received messages read in turns by setrbuf each keep their place.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    int value = 0;
    for (int message = 1; message <= 2; message++) {
        pvm_initsend(PvmDataDefault);
        for (int i = 1; i <= 3; i++)
            pvm_pkint(&(int){message * 10 + i}, 1, 1);
        pvm_send(me, message);
    }
    conf_take(me, 1);
    const int first = pvm_setrbuf(0);
    conf_take(me, 2);
    int other = first;
    for (int i = 0; i < 6; i++) {
        other = pvm_setrbuf(other);
        CODE(pvm_upkint(&value, 1, 1));
        NUM(value);
    }
    other = pvm_setrbuf(other);
    CODE(pvm_upkint(&value, 1, 1));
}

CONF_MAIN(run)
