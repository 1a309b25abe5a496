/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-43 CONV-5
 * Errors of pkmesg, pkmesgbody and upkmesg; none of them is printed.
 */
#include "conf.h"

static void run(void)
{
    pvm_mytid();
    pvm_errno = 0;
    const int mid = pvm_mkbuf(PvmDataDefault), raw = pvm_mkbuf(PvmDataRaw);
    CODE(pvm_pkmesg(mid));
    CODE(pvm_pkmesgbody(mid));
    MID(pvm_upkmesg());
    const int active = pvm_initsend(PvmDataDefault);
    CODE(pvm_pkmesg(0));
    CODE(pvm_pkmesg(-1));
    CODE(pvm_pkmesg(500));
    CODE(pvm_pkmesg(active));
    CODE(pvm_pkmesgbody(0));
    CODE(pvm_pkmesgbody(-1));
    CODE(pvm_pkmesgbody(500));
    CODE(pvm_pkmesgbody(active));
    CODE(pvm_pkmesgbody(raw));
    CODE(pvm_pkmesgbody(mid));
    NUM(pvm_errno);
    pvm_setrbuf(mid);
    MID(pvm_upkmesg());
}

CONF_MAIN(run)
