/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-41 API-45
 * Length of a raw buffer after each kind of pack: native sizes, no padding.
 */
#include "conf.h"

static int length(void)
{
    int bytes = -1;
    pvm_bufinfo(pvm_getsbuf(), &bytes, NULL, NULL);
    return bytes;
}

static void run(void)
{
    pvm_initsend(PvmDataRaw);
    pvm_pkbyte("abc", 3, 1), printf("3 bytes: %d\n", length());
    pvm_pkshort(&(short){1}, 1, 1), printf("short: %d\n", length());
    pvm_pkint(&(int){1}, 1, 1), printf("int: %d\n", length());
    pvm_pklong(&(long){1}, 1, 1), printf("long: %d\n", length());
    pvm_pkfloat(&(float){1}, 1, 1), printf("float: %d\n", length());
    pvm_pkdouble(&(double){1}, 1, 1), printf("double: %d\n", length());
    pvm_pkcplx((float[]){1, 2}, 1, 1), printf("cplx: %d\n", length());
    pvm_pkdcplx((double[]){1, 2}, 1, 1), printf("dcplx: %d\n", length());
    pvm_pkstr(""), printf("empty string: %d\n", length());
    pvm_pkstr("abc"), printf("abc: %d\n", length());
    pvm_pkushort(&(unsigned short){1}, 1, 1), printf("ushort: %d\n", length());
    pvm_pkuint(&(unsigned){1}, 1, 1), printf("uint: %d\n", length());
    pvm_pkulong(&(unsigned long){1}, 1, 1), printf("ulong: %d\n", length());
}

CONF_MAIN(run)
