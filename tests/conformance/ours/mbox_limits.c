/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63 D18
 * needs: own-vm
 * Mailboxes are on all hosts: a message has 2 MiB at most, all together 8 MiB; the original
 * knows no limit but memory.
 */
#include "conf_mbox.h"

static void run(void)
{
    static char bytes[3 * 1024 * 1024];
    int put = 0, status;
    pvm_initsend(PvmDataRaw);
    pvm_pkbyte(bytes, (int)sizeof bytes, 1);
    CODE(pvm_putinfo("lim", pvm_getsbuf(), 0));
    pvm_initsend(PvmDataRaw);
    pvm_pkbyte(bytes, 1024 * 1024, 1);
    while ((status = pvm_putinfo("lim", pvm_getsbuf(), PvmMboxMultiInstance)) >= 0)
        put++;
    printf("%d of a megabyte, then %s\n", put, conf_name(status));
    NUM(pvm_delinfo("lim", 3, 0));
    NUM(pvm_putinfo("lim", pvm_getsbuf(), PvmMboxMultiInstance));
    box_halt();
}

CONF_MAIN(run)
