/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-45
 * In the raw encoding the bytes are simply reinterpreted; counts are by bytes.
 */
#include "conf.h"

static void run(void)
{
    short s[2] = {0};
    int i = 0;
    long l = 0;
    char bytes[8] = {0};
    float f = 0;
    const int mid = pvm_initsend(PvmDataRaw);
    pvm_pkint((int[]){0x00020001, -1, 0x3f800000, 0}, 4, 1);
#define AGAIN() (pvm_setsbuf(mid), pvm_setrbuf(mid))
    AGAIN();
    CODE(pvm_upkshort(s, 2, 1)), printf("%d %d\n", s[0], s[1]);
    CODE(pvm_upkint(&i, 1, 1)), NUM(i);
    CODE(pvm_upkfloat(&f, 1, 1)), printf("%g\n", f);
    AGAIN();
    CODE(pvm_upklong(&l, 1, 1)), printf("%lx\n", l);
    CODE(pvm_upkbyte(bytes, 3, 1)), conf_hex("bytes", bytes, 3);
    CODE(pvm_upkbyte(bytes, 5, 1)), conf_hex("bytes", bytes, 5);
    CODE(pvm_upkbyte(bytes, 1, 1));
}

CONF_MAIN(run)
