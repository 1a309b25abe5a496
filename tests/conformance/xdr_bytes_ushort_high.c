/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-45
 * The received bytes of unsigned shorts above 32767 in the default encoding.
 */
#include "conf.h"

static void run(void)
{
    static char bytes[64];
    int length = 0;
    unsigned short back[3] = {0};
    pvm_initsend(PvmDataDefault);
    pvm_pkushort((unsigned short[]){0x7fff, 0x8000, USHRT_MAX}, 3, 1);
    pvm_send(pvm_mytid(), 1);
    pvm_send(pvm_mytid(), 2);
    pvm_precv(-1, 1, bytes, sizeof bytes, PVM_BYTE, NULL, NULL, &length);
    conf_hex("ushort", bytes, length);
    conf_take(-1, 2);
    CODE(pvm_upkushort(back, 3, 1));
    printf("%d %d %d\n", back[0], back[1], back[2]);
}

CONF_MAIN(run)
