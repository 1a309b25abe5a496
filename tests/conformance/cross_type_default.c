/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-45
 * In the default encoding 4-byte items can be unpacked as other types; what then comes out.
 */
#include "conf.h"

static void run(void)
{
    short s = 0;
    unsigned short us = 0;
    int i = 0;
    unsigned u = 0;
    long l = 0;
    float f = 0;
    double d = 0;
    char bytes[8] = {0};
    const int mid = pvm_initsend(PvmDataDefault);
    pvm_pkint((int[]){-2, 70000, 0x3f800000, 3}, 4, 1);
    pvm_pkdouble(&(double){1.0}, 1, 1);
#define AGAIN() (pvm_setsbuf(mid), pvm_setrbuf(mid))
    AGAIN();
    CODE(pvm_upkshort(&s, 1, 1)), NUM(s);
    CODE(pvm_upkshort(&s, 1, 1)), NUM(s);
    AGAIN();
    CODE(pvm_upkushort(&us, 1, 1)), NUM(us);
    CODE(pvm_upkuint(&u, 1, 1)), NUM(u);
    CODE(pvm_upkfloat(&f, 1, 1)), printf("%g\n", f);
    CODE(pvm_upklong(&l, 1, 1)), NUM(l);
    CODE(pvm_upkint(&i, 1, 1)), printf("%x\n", (unsigned)i);
    CODE(pvm_upkbyte(bytes, 4, 1)), conf_hex("bytes", bytes, 4);
    CODE(pvm_upkint(&i, 1, 1));
    AGAIN();
    CODE(pvm_upkbyte(bytes, 2, 1)), conf_hex("bytes", bytes, 2);
    CODE(pvm_upkint(&i, 1, 1)), NUM(i);
    AGAIN();
    CODE(pvm_upkdouble(&d, 1, 1)), conf_hex("double", &d, 8);
}

CONF_MAIN(run)
