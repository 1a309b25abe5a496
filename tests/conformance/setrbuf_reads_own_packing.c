/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-39 API-44
 * A buffer just packed can be unpacked by its own task after setrbuf.
 */
#include "conf.h"

static void run(void)
{
    int values[3] = {1, -2, 3}, back[3] = {0};
    const int mid = pvm_initsend(PvmDataDefault);
    pvm_pkint(values, 3, 1);
    MID(pvm_setrbuf(mid));
    CODE(pvm_upkint(back, 2, 1));
    printf("%d %d\n", back[0], back[1]);
    const int aside = pvm_setrbuf(0);
    YES(aside == mid);
    MID(pvm_setrbuf(mid));
    CODE(pvm_upkint(back, 1, 1));
    printf("%d\n", back[0]);
    CODE(pvm_upkint(back, 3, 1));
}

CONF_MAIN(run)
