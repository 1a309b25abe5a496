/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-50 API-45
 * Precv does not convert: a message in the default encoding yields its XDR bytes.
 */
#include "conf.h"

static void run(void)
{
    int value = 0, length = 0;
    unsigned char bytes[8];
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&(int){0x01020304}, 1, 1);
    CODE(pvm_send(pvm_mytid(), 1));
    CODE(pvm_send(pvm_mytid(), 1));
    CODE(pvm_precv(-1, 1, &value, 1, PVM_INT, NULL, NULL, &length));
    printf("%x, length %d\n", (unsigned)value, length);
    CODE(pvm_precv(-1, 1, bytes, 8, PVM_BYTE, NULL, NULL, &length));
    conf_hex("bytes", bytes, length);
}

CONF_MAIN(run)
