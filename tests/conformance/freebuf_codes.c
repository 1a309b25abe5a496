/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-38
 * Free of 0, of negative and unknown ids, twice, and of the active buffers.
 */
#include "conf.h"

static void run(void)
{
    CODE(pvm_freebuf(0));
    CODE(pvm_freebuf(-1));
    CODE(pvm_freebuf(-16));
    CODE(pvm_freebuf(1000));
    CODE(pvm_freebuf(INT_MAX));
    CODE(pvm_freebuf(INT_MIN));
    const int mid = pvm_mkbuf(PvmDataDefault);
    CODE(pvm_freebuf(mid));
    CODE(pvm_freebuf(mid));
    const int active = pvm_initsend(PvmDataDefault);
    CODE(pvm_freebuf(active));
    MID(pvm_getsbuf());
    CODE(pvm_pkint(&(int){1}, 1, 1));
    conf_send_int(pvm_mytid(), 1, 1);
    const int got = conf_take(-1, 1);
    CODE(pvm_freebuf(got));
    MID(pvm_getrbuf());
    CODE(pvm_upkint(&(int){1}, 1, 1));
}

CONF_MAIN(run)
