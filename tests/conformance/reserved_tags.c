/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-47 API-61
 * Negative tags are refused unless PvmResvTids is set; a wildcard receive sees such a message.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    int tag = 0;
    pvm_initsend(PvmDataDefault);
    CODE(pvm_send(me, -5));
    CODE(pvm_getopt(PvmResvTids));
    CODE(pvm_setopt(PvmResvTids, 1));
    CODE(pvm_send(me, -5));
    pvm_bufinfo(conf_take(me, -1), NULL, &tag, NULL);
    NUM(tag);
    CODE(pvm_send(me, -6));
    pvm_bufinfo(conf_take(-1, -6), NULL, &tag, NULL);
    NUM(tag);
    CODE(pvm_setopt(PvmResvTids, 0));
    CODE(pvm_send(me, -5));
}

CONF_MAIN(run)
