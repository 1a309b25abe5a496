/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63 API-66
 * A thousand entries, and a message of a megabyte.
 */
#include "conf_mbox.h"

static void run(void)
{
    enum { MANY = 1000, MEGABYTE = 1024 * 1024 };
    static char bytes[MEGABYTE], back[MEGABYTE];
    int count = 0, wrong = 0;
    struct pvmmboxinfo *classes;
    for (int i = 0; i < MANY; i++)
        wrong += box_put("many", i, PvmMboxMultiInstance) != i;
    for (int i = 0; i < MANY; i += 100)
        wrong += box_get("many", i, 0) != i;
    NUM(wrong);
    CODE(pvm_getmboxinfo("many", &count, &classes));
    NUM(classes[0].mi_nentries);
    for (int i = 0; i < MEGABYTE; i++)
        bytes[i] = (char)(i * 7);
    pvm_initsend(PvmDataRaw);
    pvm_pkbyte(bytes, MEGABYTE, 1);
    CODE(pvm_putinfo("mega", pvm_getsbuf(), 0));
    MID(pvm_recvinfo("mega", 0, 0));
    CODE(pvm_upkbyte(back, MEGABYTE, 1));
    YES(memcmp(bytes, back, MEGABYTE) == 0);
}

CONF_MAIN(run)
