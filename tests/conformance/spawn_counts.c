/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-26
 * Counts of spawn: 0 and below are errors; tids may be NULL; many at once.
 */
#include "conf.h"

static void child(void)
{
    conf_signal(pvm_parent(), 1);
}

static void run(void)
{
    char *role[] = {"child", NULL};
    int tids[20], distinct = 1;
    CODE(pvm_spawn(conf_program, role, 0, NULL, 0, tids));
    CODE(pvm_spawn(conf_program, role, 0, NULL, -1, tids));
    CODE(pvm_spawn(conf_program, role, 0, NULL, 20, tids));
    for (int i = 0; i < 20; i++)
        for (int j = 0; j < i; j++)
            distinct &= tids[i] != tids[j] && tids[i] > 0;
    YES(distinct);
    CODE(pvm_spawn(conf_program, role, 0, NULL, 2, NULL));
    for (int i = 0; i < 22; i++)
        conf_take(-1, 1);
    MID(conf_take_within(-1, 1, 0.1));
}

CONF_MAIN(run, {"child", child})
