/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-64
 * What is no entry, and what cannot be one.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_put("codes", 1, 0);
    CODE(pvm_recvinfo("codes", 1, 0));
    CODE(pvm_recvinfo("nosuch", 0, 0));
    CODE(pvm_recvinfo("nosuch", 0, PvmMboxFirstAvail));
    CODE(pvm_recvinfo("codes", -1, 0));
    CODE(pvm_recvinfo("codes", -1, PvmMboxFirstAvail));
    CODE(pvm_recvinfo("", 0, 0));
    CODE(pvm_recvinfo(NULL, 0, 0));
    CODE(pvm_putinfo("", pvm_initsend(PvmDataDefault), 0));
    CODE(pvm_putinfo(NULL, pvm_getsbuf(), 0));
}

CONF_MAIN(run)
