/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-45 QRK-3
 * A thousand pieces in place make one message.
 */
#include "conf.h"

enum { COUNT = 1000 };

static void run(void)
{
    static int values[COUNT], back[COUNT];
    int wrong = 0, bytes = 0;
    pvm_mytid();
    pvm_initsend(PvmDataInPlace);
    for (int i = 0; i < COUNT; i++) {
        values[i] = i * 3;
        wrong += pvm_pkint(values + i, 1, 1) != 0;
    }
    CODE(pvm_send(pvm_mytid(), 1));
    pvm_bufinfo(conf_take(-1, 1), &bytes, NULL, NULL);
    NUM(bytes);
    CODE(pvm_upkint(back, COUNT, 1));
    YES(memcmp(values, back, sizeof values) == 0);
    NUM(wrong);
}

CONF_MAIN(run)
