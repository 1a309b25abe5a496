/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-45 API-48
 * An in-place buffer sent to several tasks and read anew for each send.
 */
#include "conf.h"

static void child(void)
{
    int values[4] = {0};
    conf_take(pvm_parent(), 1);
    pvm_upkint(values, 4, 1);
    conf_send_int(pvm_parent(), 2, values[0] + values[1] + values[2] + values[3]);
}

static void run(void)
{
    int tids[3], values[4] = {1, 20, 300, 4000};
    conf_spawn_many("child", 3, tids);
    pvm_initsend(PvmDataInPlace);
    pvm_pkint(values, 4, 1);
    CODE(pvm_mcast(tids, 3, 1));
    for (int i = 0; i < 3; i++)
        NUM(conf_take_int(tids[i], 2));
}

CONF_MAIN(run, {"child", child})
