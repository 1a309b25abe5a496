/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-49 API-50 API-51
 * Psend is read by recv and unpack, send by precv; neither active buffer changes.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    double back[2] = {0};
    struct pvmminfo info;
    const int sbuf = pvm_initsend(PvmDataRaw);
    CODE(pvm_psend(me, 1, (double[]){1.5, 2.5}, 2, PVM_DOUBLE));
    const int mid = conf_take(me, 1);
    CODE(pvm_getminfo(mid, &info));
    printf("enc 0x%x len %d\n", (unsigned)info.enc, info.len);
    CODE(pvm_upkdouble(back, 2, 1));
    printf("%g %g\n", back[0], back[1]);
    pvm_pkdouble((double[]){3.5, 4.5}, 2, 1);
    CODE(pvm_send(me, 2));
    CODE(pvm_precv(me, 2, back, 2, PVM_DOUBLE, NULL, NULL, NULL));
    printf("%g %g\n", back[0], back[1]);
    YES(pvm_getsbuf() == sbuf);
    YES(pvm_getrbuf() == mid);
}

CONF_MAIN(run)
