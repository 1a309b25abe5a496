/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-45
 * The received bytes of floats, doubles and complex numbers in the default encoding.
 */
#include "conf.h"

static void show(const char *what)
{
    static char bytes[256];
    int length = 0;
    pvm_send(pvm_mytid(), 1);
    pvm_precv(-1, 1, bytes, sizeof bytes, PVM_BYTE, NULL, NULL, &length);
    conf_hex(what, bytes, length);
    pvm_initsend(PvmDataDefault);
}

static void run(void)
{
    const double zero = 0.0;
    pvm_initsend(PvmDataDefault);
    pvm_pkfloat((float[]){1, -2.5f, 0.1f, -0.0f, 1e-45f}, 5, 1), show("float");
    pvm_pkfloat((float[]){(float)(1 / zero), (float)(-1 / zero)}, 2, 1), show("float infinities");
    pvm_pkdouble((double[]){1, -2.5, 0.1, -0.0, 5e-324}, 5, 1), show("double");
    pvm_pkdouble((double[]){1 / zero, -1 / zero, __builtin_nan("")}, 3, 1), show("double specials");
    pvm_pkcplx((float[]){1, 2, -3, -4}, 2, 1), show("cplx");
    pvm_pkdcplx((double[]){1, 2, -3, -4}, 2, 1), show("dcplx");
}

CONF_MAIN(run)
