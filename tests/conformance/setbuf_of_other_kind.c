/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-39
 * A buffer that becomes active for one side stops being the other side's active one.
 */
#include "conf.h"

static void run(void)
{
    const int mid = pvm_initsend(PvmDataDefault);
    YES(pvm_getsbuf() == mid);
    MID(pvm_setrbuf(mid));
    MID(pvm_getsbuf());
    YES(pvm_getrbuf() == mid);
    MID(pvm_setsbuf(mid));
    MID(pvm_getrbuf());
    YES(pvm_getsbuf() == mid);
}

CONF_MAIN(run)
