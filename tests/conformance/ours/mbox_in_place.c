/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63
 * What is packed in place is copied by the put, and can be read; in the original it cannot.
 */
#include "conf_mbox.h"

static void run(void)
{
    int many[4] = {1, 2, 3, 4}, back[4] = {0};
    pvm_initsend(PvmDataInPlace);
    pvm_pkint(many, 4, 1);
    many[2] = 33;
    CODE(pvm_putinfo("inp", pvm_getsbuf(), 0));
    many[2] = 44;
    MID(pvm_recvinfo("inp", 0, 0));
    CODE(pvm_upkint(back, 4, 1));
    printf("%d %d %d %d\n", back[0], back[1], back[2], back[3]);
}

CONF_MAIN(run)
