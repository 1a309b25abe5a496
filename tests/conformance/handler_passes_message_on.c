/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-58
 * A handler may free the message, or send it on as it is.
 */
#include "conf.h"

static int me;

static int pass_on(int mid)
{
    NUM(pvm_setsbuf(mid));
    NUM(pvm_getrbuf());
    CODE(pvm_send(me, 8));
    return 0;
}

static int drop(int mid)
{
    CODE(pvm_freebuf(mid));
    NUM(pvm_getrbuf());
    CODE(pvm_upkint(&me, 1, 1));
    return 0;
}

static int twice(int mid)
{
    int value = 0;
    YES(pvm_setrbuf(0) == mid);
    CODE(pvm_psend(me, 8, &value, 1, PVM_INT));
    pvm_initsend(PvmDataDefault);
    value = 4711;
    pvm_pkint(&value, 1, 1);
    CODE(pvm_send(me, 9));
    CODE(pvm_send(me, 9));
    return 0;
}

static void run(void)
{
    me = pvm_mytid();
    pvm_addmhf(-1, 5, -1, pass_on);
    pvm_addmhf(-1, 6, -1, drop);
    pvm_addmhf(-1, 7, -1, twice);
    conf_send_int(me, 5, 42);
    NUM(conf_take_int(me, 8));
    conf_send_int(me, 6, 43);
    conf_send_int(me, 7, 44);
    conf_take(me, 8);
    NUM(conf_take_int(me, 9));
    NUM(conf_take_int(me, 9));
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run)
