/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-7
 * Siblings are the tasks of one spawn call in the order of its tid array, also asked twice.
 */
#include "conf.h"

static void child(void)
{
    int *tids = NULL, *again = NULL;
    const int count = pvm_siblings(&tids);
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&(int){count}, 1, 1);
    pvm_pkint(tids, count, 1);
    pvm_pkint(&(int){pvm_siblings(&again)}, 1, 1);
    pvm_send(pvm_parent(), 1);
}

static void run(void)
{
    int one, tids[4], seen[4], count = 0, again = 0;
    one = conf_spawn("child");
    conf_spawn_many("child", 4, tids);
    for (int i = 0; i < 4; i++) {
        conf_take(tids[i], 1);
        pvm_upkint(&count, 1, 1);
        NUM(count);
        pvm_upkint(seen, count, 1);
        YES(memcmp(seen, tids, sizeof tids) == 0);
        pvm_upkint(&again, 1, 1);
        NUM(again);
    }
    conf_take(one, 1);
    pvm_upkint(&count, 1, 1);
    NUM(count);
    pvm_upkint(seen, count, 1);
    YES(seen[0] == one);
}

CONF_MAIN(run, {"child", child})
