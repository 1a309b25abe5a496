/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-48 API-56
 * Multicasts and sends of one task to another stay in order.
 */
#include "conf.h"

enum { COUNT = 200 };

static void child(void)
{
    int wrong = 0;
    for (int i = 0; i < COUNT; i++) {
        int value = -1;
        conf_take(pvm_parent(), -1);
        pvm_upkint(&value, 1, 1);
        wrong += value != i;
    }
    conf_send_int(pvm_parent(), 9, wrong);
}

static void run(void)
{
    int tids[2];
    conf_spawn_many("child", 2, tids);
    for (int i = 0; i < COUNT; i++) {
        pvm_initsend(PvmDataDefault);
        pvm_pkint(&i, 1, 1);
        if (i % 3 == 0) {
            pvm_mcast(tids, 2, i % 5);
        } else {
            pvm_send(tids[0], i % 5);
            pvm_send(tids[1], i % 5);
        }
    }
    NUM(conf_take_int(tids[0], 9));
    NUM(conf_take_int(tids[1], 9));
}

CONF_MAIN(run, {"child", child})
