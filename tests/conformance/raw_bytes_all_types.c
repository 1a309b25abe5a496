/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-45
 * The received bytes of every type in the raw encoding.
 */
#include "conf.h"

static void show(const char *what)
{
    static char bytes[256];
    int length = 0;
    pvm_send(pvm_mytid(), 1);
    pvm_precv(-1, 1, bytes, sizeof bytes, PVM_BYTE, NULL, NULL, &length);
    conf_hex(what, bytes, length);
    pvm_initsend(PvmDataRaw);
}

static void run(void)
{
    pvm_initsend(PvmDataRaw);
    pvm_pkbyte("\x01\x80\xff", 3, 1), show("byte");
    pvm_pkshort((short[]){1, -1}, 2, 1), show("short");
    pvm_pkushort((unsigned short[]){1, 0xfffe}, 2, 1), show("ushort");
    pvm_pkint((int[]){1, -1}, 2, 1), show("int");
    pvm_pkuint((unsigned[]){1, 0xfffffffeu}, 2, 1), show("uint");
    pvm_pklong((long[]){1, -1, LONG_MIN}, 3, 1), show("long");
    pvm_pkulong((unsigned long[]){1, ULONG_MAX}, 2, 1), show("ulong");
    pvm_pkfloat((float[]){1, -2.5f}, 2, 1), show("float");
    pvm_pkdouble((double[]){1, -2.5}, 2, 1), show("double");
    pvm_pkcplx((float[]){1, 2}, 1, 1), show("cplx");
    pvm_pkdcplx((double[]){1, 2}, 1, 1), show("dcplx");
}

CONF_MAIN(run)
