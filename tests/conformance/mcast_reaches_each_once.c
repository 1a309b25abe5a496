/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-48
 * A multicast with duplicates and the sender's own tid: each other task gets it once.
 */
#include "conf.h"

static void child(void)
{
    int value = 0, source = 0, tag = 0;
    pvm_bufinfo(conf_take(-1, 4), NULL, &tag, &source);
    pvm_upkint(&value, 1, 1);
    conf_take(pvm_parent(), 5);
    const int again = pvm_nrecv(-1, 4) > 0;
    conf_send_int(pvm_parent(), 9, value * 10 + again + (source == pvm_parent() ? 0 : 5));
}

static void run(void)
{
    int tids[3];
    conf_spawn_many("child", 3, tids);
    int list[] = {tids[2], tids[0], pvm_mytid(), tids[1], tids[0], tids[2]};
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&(int){6}, 1, 1);
    CODE(pvm_mcast(list, 6, 4));
    YES(list[0] == tids[2] && list[5] == tids[2]);
    for (int i = 0; i < 3; i++)
        conf_signal(tids[i], 5);
    for (int i = 0; i < 3; i++)
        NUM(conf_take_int(tids[i], 9));
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run, {"child", child})
