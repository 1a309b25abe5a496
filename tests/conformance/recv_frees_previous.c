/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-51 API-39
 * A receive replaces the active receive buffer; one put aside with setrbuf(0) is kept.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    int value = 0;
    for (int i = 1; i <= 4; i++)
        conf_send_int(me, i, i * 10);
    conf_take(me, 4);
    YES(conf_take(me, 1) == pvm_getrbuf());
    conf_take(me, 2);
    const int kept = pvm_setrbuf(0);
    conf_take(me, 3);
    CODE(pvm_bufinfo(kept, NULL, NULL, NULL));
    const int fourth = pvm_setrbuf(kept);
    CODE(pvm_upkint(&value, 1, 1));
    NUM(value);
    pvm_setrbuf(fourth);
    CODE(pvm_upkint(&value, 1, 1));
    NUM(value);
    CODE(pvm_freebuf(kept));
}

CONF_MAIN(run)
