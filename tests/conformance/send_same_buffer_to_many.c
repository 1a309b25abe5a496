/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-47
 * One packed buffer sent to several tasks and with several tags.
 */
#include "conf.h"

static void child(void)
{
    int sum = 0;
    for (int tag = 1; tag <= 3; tag++) {
        int value = 0;
        conf_take(pvm_parent(), tag);
        pvm_upkint(&value, 1, 1);
        sum += value * tag;
    }
    conf_send_int(pvm_parent(), 9, sum);
}

static void run(void)
{
    int tids[3];
    conf_spawn_many("child", 3, tids);
    const int mid = pvm_initsend(PvmDataDefault);
    pvm_pkint(&(int){7}, 1, 1);
    for (int tag = 3; tag >= 1; tag--)
        for (int i = 0; i < 3; i++)
            CODE(pvm_send(tids[i], tag));
    YES(pvm_getsbuf() == mid);
    for (int i = 0; i < 3; i++)
        NUM(conf_take_int(tids[i], 9));
}

CONF_MAIN(run, {"child", child})
