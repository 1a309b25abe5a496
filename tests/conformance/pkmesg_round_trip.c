/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-43
 * A message packed into another comes out with all its fields; the outer one reads on behind it.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    struct pvmminfo info;
    int value = 0;
    char text[32];
    const int inner = pvm_mkbuf(PvmDataRaw);
    pvm_setsbuf(inner);
    pvm_pkint(&(int){1234}, 1, 1);
    pvm_pkstr("inside");
    pvm_send(me, 77);
    pvm_initsend(PvmDataDefault);
    CODE(pvm_pkint(&(int){1}, 1, 1));
    CODE(pvm_pkmesg(conf_take(me, 77)));
    CODE(pvm_pkint(&(int){2}, 1, 1));
    CODE(pvm_send(me, 78));
    conf_take(me, 78);
    CODE(pvm_upkint(&value, 1, 1));
    NUM(value);
    const int out = pvm_upkmesg();
    YES(out > 0 && pvm_getrbuf() != out);
    CODE(pvm_upkint(&value, 1, 1));
    NUM(value);
    CODE(pvm_getminfo(out, &info));
    printf("len %d tag %d ctx %d\n", info.len, info.tag, info.ctx);
    YES(info.src == me);
    const int outer = pvm_setrbuf(out);
    CODE(pvm_upkint(&value, 1, 1));
    NUM(value);
    CODE(pvm_upkstr(text));
    puts(text);
    CODE(pvm_freebuf(outer));
    CODE(pvm_freebuf(out));
}

CONF_MAIN(run)
