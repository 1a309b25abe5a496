/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: NTF-2
 * Thirty tasks ending at once give thirty notices, each tid once.
 */
#include "conf.h"

enum { COUNT = 30 };

static void child(void)
{
    conf_take(pvm_parent(), 1);
}

static void run(void)
{
    int tids[COUNT], seen[COUNT] = {0}, wrong = 0;
    conf_spawn_many("child", COUNT, tids);
    CODE(pvm_notify(PvmTaskExit, 50, COUNT, tids));
    pvm_initsend(PvmDataDefault);
    CODE(pvm_mcast(tids, COUNT, 1));
    for (int i = 0; i < COUNT; i++) {
        const int tid = conf_take_int(-1, 50);
        for (int which = 0; which < COUNT; which++)
            seen[which] += tids[which] == tid;
    }
    for (int which = 0; which < COUNT; which++)
        wrong += seen[which] != 1;
    NUM(wrong);
    MID(conf_take_within(-1, -1, 0.1));
}

CONF_MAIN(run, {"child", child})
