/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-43 API-47
 * A message of several fragments inside another message arrives whole.
 */
#include "conf.h"

enum { COUNT = 20000 };

static void run(void)
{
    static int values[COUNT], back[COUNT];
    int bytes = 0;
    for (int i = 0; i < COUNT; i++)
        values[i] = i * i;
    const int inner = pvm_mkbuf(PvmDataDefault);
    pvm_setsbuf(inner);
    pvm_pkint(values, COUNT, 1);
    pvm_setsbuf(0);
    pvm_initsend(PvmDataDefault);
    CODE(pvm_pkmesg(inner));
    CODE(pvm_pkstr("behind"));
    CODE(pvm_send(pvm_mytid(), 1));
    conf_take(-1, 1);
    const int out = pvm_upkmesg();
    char text[16];
    CODE(pvm_upkstr(text));
    puts(text);
    CODE(pvm_bufinfo(out, &bytes, NULL, NULL));
    NUM(bytes);
    pvm_setrbuf(out);
    CODE(pvm_upkint(back, COUNT, 1));
    YES(memcmp(values, back, sizeof back) == 0);
    CODE(pvm_upkint(back, 1, 1));
}

CONF_MAIN(run)
