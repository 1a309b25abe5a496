/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-64
 * After a failure there is no active receive buffer; in the original there is one that nobody
 * asked for.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_put("flb", 1, 0);
    MID(pvm_recvinfo("flb", 0, 0));
    CODE(pvm_recvinfo("flb", 1, 0));
    MID(pvm_getrbuf());
}

CONF_MAIN(run)
