/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-45
 * Several arrays in place, one of them large, make one message in their order.
 */
#include "conf.h"

enum { COUNT = 30000 };

static void run(void)
{
    static int large[COUNT], back[COUNT];
    short few[3] = {7, 8, 9}, few_back[3];
    double one = 0.5, one_back = 0;
    int bytes = 0;
    for (int i = 0; i < COUNT; i++)
        large[i] = i ^ 0x5a5a;
    pvm_mytid();
    pvm_initsend(PvmDataInPlace);
    pvm_pkshort(few, 3, 1);
    pvm_pkint(large, COUNT, 1);
    pvm_pkdouble(&one, 1, 1);
    CODE(pvm_send(pvm_mytid(), 1));
    pvm_bufinfo(conf_take(-1, 1), &bytes, NULL, NULL);
    NUM(bytes);
    CODE(pvm_upkshort(few_back, 3, 1));
    CODE(pvm_upkint(back, COUNT, 1));
    CODE(pvm_upkdouble(&one_back, 1, 1));
    YES(memcmp(few, few_back, sizeof few) == 0 && memcmp(large, back, sizeof large) == 0);
    YES(one_back == 0.5);
}

CONF_MAIN(run)
