/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-47
 * Errors of send and the order in which they are checked.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    CODE(pvm_send(me, 1));
    CODE(pvm_send(-1, -1));
    CODE(pvm_send(0, 1));
    pvm_initsend(PvmDataDefault);
    CODE(pvm_send(0, 1));
    CODE(pvm_send(-1, 1));
    CODE(pvm_send(0x40000, 1));
    CODE(pvm_send((int)0x80000000, 1));
    CODE(pvm_send(0x40000001, 1));
    CODE(pvm_send(me, -1));
    CODE(pvm_send(me, INT_MIN));
    CODE(pvm_send(me, INT_MAX));
    CODE(pvm_send(me, 0));
    int tag = -1;
    pvm_bufinfo(conf_take(-1, -1), NULL, &tag, NULL);
    NUM(tag);
    pvm_bufinfo(conf_take(-1, -1), NULL, &tag, NULL);
    NUM(tag);
}

CONF_MAIN(run)
