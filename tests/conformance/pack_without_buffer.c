/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-46
 * Every pack call without a send buffer.
 */
#include "conf.h"

static void run(void)
{
    double data[4] = {0};
    void *p = data;
    CODE(pvm_pkbyte(p, 1, 1));
    CODE(pvm_pkshort(p, 1, 1));
    CODE(pvm_pkushort(p, 1, 1));
    CODE(pvm_pkint(p, 1, 1));
    CODE(pvm_pkuint(p, 1, 1));
    CODE(pvm_pklong(p, 1, 1));
    CODE(pvm_pkulong(p, 1, 1));
    CODE(pvm_pkfloat(p, 1, 1));
    CODE(pvm_pkdouble(p, 1, 1));
    CODE(pvm_pkcplx(p, 1, 1));
    CODE(pvm_pkdcplx(p, 1, 1));
    CODE(pvm_pkstr("text"));
    CODE(pvm_packf("%d", 1));
    CODE(pvm_packf(""));
    CODE(pvm_pkint(p, 0, 1));
    CODE(pvm_pkint(p, -1, 1));
}

CONF_MAIN(run)
