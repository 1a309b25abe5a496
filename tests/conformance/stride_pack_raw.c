/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44
 * Strides in the raw encoding, by type, as the bytes show.
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
    char bytes[] = "abcdefghijkl";
    short shorts[] = {1, 2, 3, 4, 5, 6};
    long longs[] = {1, 2, 3, 4, 5, 6};
    double doubles[] = {1, 2, 3, 4, 5, 6, 7, 8};
    float floats[] = {1, 2, 3, 4, 5, 6, 7, 8};
    pvm_initsend(PvmDataRaw);
    pvm_pkbyte(bytes, 5, 2), show("bytes by 2");
    pvm_pkbyte(bytes + 5, 3, -2), show("bytes by -2");
    pvm_pkbyte(bytes, 3, 0), show("bytes by 0");
    pvm_pkushort((unsigned short *)shorts, 3, 2), show("ushorts by 2");
    pvm_pklong(longs + 5, 2, -5), show("longs by -5");
    pvm_pkdouble(doubles, 2, 0), show("doubles by 0");
    pvm_pkfloat(floats, 2, 3), show("floats by 3");
    pvm_pkcplx(floats, 2, 2), show("cplx by 2");
    pvm_pkdcplx(doubles + 4, 2, -2), show("dcplx by -2");
}

CONF_MAIN(run)
