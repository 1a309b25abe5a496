/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-48
 * A multicast to a list with an ended task still reaches the living.
 */
#include "conf.h"

static void quick(void)
{
}

static void child(void)
{
    conf_send_int(pvm_parent(), 2, conf_take_int(pvm_parent(), 1) + 1);
}

static void run(void)
{
    const int dead = conf_spawn("quick");
    conf_wait_gone(dead);
    int tids[3] = {dead, conf_spawn("child"), conf_spawn("child")};
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&(int){1}, 1, 1);
    CODE(pvm_mcast(tids, 3, 1));
    NUM(conf_take_int(tids[1], 2));
    NUM(conf_take_int(tids[2], 2));
}

CONF_MAIN(run, {"quick", quick}, {"child", child})
