/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-58
 * A task that only sends comes to its handlers too.
 */
#include "conf.h"

static int stopped;

static int stop(int mid)
{
    (void)mid;
    stopped = 1;
    return 0;
}

static void child(void)
{
    const double end_s = conf_now_s() + CONF_RECEIVE_LIMIT_S;
    int value = 0;
    pvm_addmhf(pvm_parent(), 1, -1, stop);
    while (!stopped && conf_now_s() < end_s) {
        pvm_initsend(PvmDataDefault);
        pvm_pkint(&value, 1, 1);
        pvm_send(pvm_parent(), 2);
        conf_pause_ms(1);
    }
    value = stopped;
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&value, 1, 1);
    pvm_send(pvm_parent(), 3);
}

static void run(void)
{
    const int tid = conf_spawn("child");
    for (int i = 0; i < 5; i++)
        conf_take(tid, 2);
    conf_signal(tid, 1);
    NUM(conf_take_int(tid, 3));
}

CONF_MAIN(run, {"child", child})
