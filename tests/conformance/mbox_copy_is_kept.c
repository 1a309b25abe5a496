/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63
 * What is in the mailbox is a copy: the buffer may be changed, sent and freed.
 */
#include "conf_mbox.h"

static void run(void)
{
    int value = 1, more = 2;
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&value, 1, 1);
    CODE(pvm_putinfo("copy", pvm_getsbuf(), 0));
    pvm_pkint(&more, 1, 1);
    CODE(pvm_putinfo("copy2", pvm_getsbuf(), 0));
    CODE(pvm_freebuf(pvm_getsbuf()));
    MID(pvm_recvinfo("copy", 0, 0));
    CODE(pvm_upkint(&value, 1, 1));
    CODE(pvm_upkint(&more, 1, 1));
    MID(pvm_recvinfo("copy2", 0, 0));
    CODE(pvm_upkint(&value, 1, 1));
    CODE(pvm_upkint(&more, 1, 1));
    NUM(more);
}

CONF_MAIN(run)
