/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-43 API-45
 * A buffer in another machine's raw format: only bytes can be unpacked, nothing can be packed.
 */
#include "conf.h"

static void run(void)
{
    double data[4] = {0};
    void *p = data;
    char text[16] = {0};
    pvm_mytid();
    const int outer = pvm_initsend(PvmDataDefault);
    pvm_pkint((int[]){8, 0, 5, 0, 0x00c0dead & 0x0fffffff, 0, 0, 0}, 8, 1);
    pvm_pkint(&(int){8}, 1, 1);
    pvm_pkbyte("ABCDEFGH", 8, 1);
    pvm_setrbuf(outer);
    const int mid = pvm_upkmesg();
    YES(mid > 0);
    struct pvmminfo info;
    CODE(pvm_getminfo(mid, &info));
    printf("enc 0x%x len %d\n", (unsigned)info.enc, info.len);
    pvm_setrbuf(mid);
    CODE(pvm_upkint(p, 1, 1));
    CODE(pvm_upkshort(p, 1, 1));
    CODE(pvm_upklong(p, 1, 1));
    CODE(pvm_upkfloat(p, 1, 1));
    CODE(pvm_upkdouble(p, 1, 1));
    CODE(pvm_upkcplx(p, 1, 1));
    CODE(pvm_upkstr(p));
    CODE(pvm_upkbyte(text, 4, 1));
    puts(text);
    pvm_setsbuf(mid);
    CODE(pvm_pkint(p, 1, 1));
    CODE(pvm_pkbyte(text, 1, 1));
    CODE(pvm_pkstr("x"));
}

CONF_MAIN(run)
