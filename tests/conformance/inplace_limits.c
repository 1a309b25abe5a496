/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-45
 * In place: strides other than 1 and strings are refused; nothing is added by the refused calls.
 */
#include "conf.h"

static void run(void)
{
    int values[6] = {1, 2, 3, 4, 5, 6}, back[6] = {0}, bytes = 0;
    pvm_mytid();
    pvm_initsend(PvmDataInPlace);
    CODE(pvm_pkint(values, 3, 2));
    CODE(pvm_pkint(values, 3, 0));
    CODE(pvm_pkint(values, 3, -1));
    CODE(pvm_pkbyte((char *)values, 3, 2));
    CODE(pvm_pkstr("text"));
    CODE(pvm_pkint(values, 3, 1));
    CODE(pvm_pkint(values, -1, 1));
    CODE(pvm_send(pvm_mytid(), 1));
    pvm_bufinfo(conf_take(-1, 1), &bytes, NULL, NULL);
    NUM(bytes);
    CODE(pvm_upkint(back, 3, 1));
    printf("%d %d %d\n", back[0], back[1], back[2]);
}

CONF_MAIN(run)
