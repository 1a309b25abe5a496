/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-7 API-47 API-56
 * Six siblings each send each other 100 messages; every pair's order holds.
 */
#include "conf.h"

enum { TASKS = 6, COUNT = 100 };

static void member(void)
{
    int *tids = NULL, next[TASKS] = {0}, wrong = 0;
    const int count = pvm_siblings(&tids);
    for (int i = 0; i < COUNT; i++)
        for (int to = 0; to < count; to++)
            if (tids[to] != pvm_mytid())
                conf_send_int(tids[to], 5, i);
    for (int i = 0; i < COUNT * (count - 1); i++) {
        int from = 0, value = -1;
        pvm_bufinfo(conf_take(-1, 5), NULL, NULL, &from);
        pvm_upkint(&value, 1, 1);
        for (int who = 0; who < count; who++)
            wrong += tids[who] == from && value != next[who]++;
    }
    conf_send_int(pvm_parent(), 6, count == TASKS ? wrong : -1);
    conf_take(pvm_parent(), 7);
}

static void run(void)
{
    int tids[TASKS];
    conf_spawn_many("member", TASKS, tids);
    for (int i = 0; i < TASKS; i++)
        NUM(conf_take_int(tids[i], 6));
    pvm_initsend(PvmDataDefault);
    pvm_mcast(tids, TASKS, 7);
}

CONF_MAIN(run, {"member", member})
