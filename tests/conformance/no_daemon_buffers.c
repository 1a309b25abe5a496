/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: CONV-6
 * needs: no-vm
 * stderr: ignored
 * Buffers, packing and options without a daemon.
 */
#include "conf.h"

static void run(void)
{
    int values[2] = {3, 4}, back[2] = {0};
    const int mid = MID(pvm_initsend(PvmDataDefault));
    CODE(pvm_pkint(values, 2, 1));
    CODE(pvm_setrbuf(mid));
    CODE(pvm_upkint(back, 2, 1));
    printf("%d %d\n", back[0], back[1]);
    MID(pvm_mkbuf(PvmDataRaw));
    CODE(pvm_freebuf(mid));
    CODE(pvm_setopt(PvmRoute, PvmRouteDirect));
    CODE(pvm_getopt(PvmRoute));
    CODE(pvm_setopt(PvmFragSize, 100));
    CODE(pvm_tidtohost(0x40005));
    puts(pvm_version());
    CODE(pvm_send(0x40005, 1));
}

CONF_MAIN(run)
