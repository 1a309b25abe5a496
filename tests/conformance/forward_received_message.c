/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-39 API-47
 * A received message set as send buffer is sent on unchanged.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    int value = 0, bytes = 0;
    conf_send_int(me, 1, 41);
    const int mid = conf_take(me, 1);
    MID(pvm_setsbuf(mid));
    MID(pvm_getrbuf());
    CODE(pvm_send(me, 2));
    pvm_bufinfo(conf_take(me, 2), &bytes, NULL, NULL);
    NUM(bytes);
    CODE(pvm_upkint(&value, 1, 1));
    NUM(value);
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run)
