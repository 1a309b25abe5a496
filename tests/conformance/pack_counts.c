/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44
 * Counts of 0 and below in every pack and unpack call, and the length they leave.
 */
#include "conf.h"

static void run(void)
{
    double data[4] = {0};
    void *p = data;
    int bytes;
    const int mid = pvm_initsend(PvmDataDefault);
    CODE(pvm_pkbyte(p, -1, 1));
    CODE(pvm_pkshort(p, -1, 1));
    CODE(pvm_pkushort(p, -1, 1));
    CODE(pvm_pkint(p, -1, 1));
    CODE(pvm_pkuint(p, -1, 1));
    CODE(pvm_pklong(p, INT_MIN, 1));
    CODE(pvm_pkulong(p, -1, 1));
    CODE(pvm_pkfloat(p, -1, 1));
    CODE(pvm_pkdouble(p, -1, 1));
    CODE(pvm_pkcplx(p, -1, 1));
    CODE(pvm_pkdcplx(p, -1, 1));
    CODE(pvm_pkbyte(p, 0, 1));
    CODE(pvm_pkint(NULL, 0, 1));
    CODE(pvm_pkdouble(p, 0, 0));
    pvm_bufinfo(mid, &bytes, NULL, NULL);
    NUM(bytes);
    pvm_setrbuf(mid);
    CODE(pvm_upkbyte(p, -1, 1));
    CODE(pvm_upkshort(p, -1, 1));
    CODE(pvm_upkint(p, -1, 1));
    CODE(pvm_upklong(p, -1, 1));
    CODE(pvm_upkfloat(p, -1, 1));
    CODE(pvm_upkdouble(p, -1, 1));
    CODE(pvm_upkcplx(p, -1, 1));
    CODE(pvm_upkdcplx(p, -1, 1));
    CODE(pvm_upkint(NULL, 0, 1));
    CODE(pvm_upkbyte(p, 0, 7));
    CODE(pvm_upkint(p, 1, 1));
}

CONF_MAIN(run)
