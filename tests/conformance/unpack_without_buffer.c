/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-46
 * Every unpack call without a receive buffer.
 */
#include "conf.h"

static void run(void)
{
    double data[4] = {0};
    void *p = data;
    CODE(pvm_upkbyte(p, 1, 1));
    CODE(pvm_upkshort(p, 1, 1));
    CODE(pvm_upkushort(p, 1, 1));
    CODE(pvm_upkint(p, 1, 1));
    CODE(pvm_upkuint(p, 1, 1));
    CODE(pvm_upklong(p, 1, 1));
    CODE(pvm_upkulong(p, 1, 1));
    CODE(pvm_upkfloat(p, 1, 1));
    CODE(pvm_upkdouble(p, 1, 1));
    CODE(pvm_upkcplx(p, 1, 1));
    CODE(pvm_upkdcplx(p, 1, 1));
    CODE(pvm_upkstr(p));
    CODE(pvm_unpackf("%d", p));
    CODE(pvm_unpackf(""));
    CODE(pvm_upkint(p, 0, 1));
    CODE(pvm_upkint(p, -1, 1));
}

CONF_MAIN(run)
