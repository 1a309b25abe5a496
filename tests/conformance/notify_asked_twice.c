/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: NTF-2
 * Asking twice gives two notices; several tids in one call give one each.
 */
#include "conf.h"

static void child(void)
{
    conf_take(pvm_parent(), 1);
}

static void run(void)
{
    int tids[3], counts[3] = {0}, list[4];
    conf_spawn_many("child", 3, tids);
    memcpy(list, tids, sizeof tids);
    list[3] = tids[0];
    CODE(pvm_notify(PvmTaskExit, 50, 3, tids));
    CODE(pvm_notify(PvmTaskExit, 50, 4, list));
    CODE(pvm_notify(PvmTaskExit, 51, 1, tids));
    for (int i = 0; i < 3; i++)
        conf_signal(tids[i], 1);
    for (int i = 0; i < 7; i++) {
        const int tid = conf_take_int(-1, 50);
        for (int which = 0; which < 3; which++)
            counts[which] += tids[which] == tid;
    }
    printf("%d %d %d\n", counts[0], counts[1], counts[2]);
    YES(conf_take_int(-1, 51) == tids[0]);
    MID(conf_take_within(-1, -1, 0.1));
}

CONF_MAIN(run, {"child", child})
