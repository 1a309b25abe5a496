/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63 API-64
 * A message without contents.
 */
#include "conf_mbox.h"

static void run(void)
{
    int bytes = -1, value;
    CODE(pvm_putinfo("empty", pvm_initsend(PvmDataDefault), 0));
    MID(pvm_recvinfo("empty", 0, 0));
    CODE(pvm_bufinfo(pvm_getrbuf(), &bytes, NULL, NULL));
    NUM(bytes);
    CODE(pvm_upkint(&value, 1, 1));
}

CONF_MAIN(run)
