/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44
 * Unpacking with stride 2 for bytes, shorts, doubles and both complex types.
 */
#include "conf.h"

static void run(void)
{
    for (int encoding = PvmDataDefault; encoding <= PvmDataRaw; encoding++) {
        char bytes[8] = "--------";
        short shorts[6] = {0};
        double doubles[12] = {0};
        float floats[12] = {0};
        const int mid = pvm_initsend(encoding);
        pvm_pkbyte("abcd", 4, 1);
        pvm_pkshort((short[]){1, -2, 3}, 3, 1);
        pvm_pkdouble((double[]){1.5, 2.5}, 2, 1);
        pvm_pkcplx((float[]){1, 2, 3, 4}, 2, 1);
        pvm_pkdcplx((double[]){5, 6, 7, 8}, 2, 1);
        pvm_setrbuf(mid);
        CODE(pvm_upkbyte(bytes, 4, 2));
        printf("%.8s\n", bytes);
        CODE(pvm_upkshort(shorts, 3, 2));
        printf("%d %d %d %d %d\n", shorts[0], shorts[1], shorts[2], shorts[3], shorts[4]);
        CODE(pvm_upkdouble(doubles, 2, 2));
        printf("%g %g %g\n", doubles[0], doubles[1], doubles[2]);
        CODE(pvm_upkcplx(floats, 2, 2));
        printf("%g %g %g %g %g %g\n", floats[0], floats[1], floats[2], floats[3], floats[4],
               floats[5]);
        CODE(pvm_upkdcplx(doubles, 2, 2));
        printf("%g %g %g %g %g %g\n", doubles[0], doubles[1], doubles[2], doubles[3], doubles[4],
               doubles[5]);
        pvm_freebuf(mid);
    }
}

CONF_MAIN(run)
