/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-5 API-26 CST-5
 * PvmNoSpawnParent hides the parent from the child; siblings and tasks say so too.
 */
#include "conf.h"

static void child(void)
{
    int *tids = NULL;
    conf_take(-1, 1);
    int watcher;
    pvm_bufinfo(pvm_getrbuf(), NULL, NULL, &watcher);
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&(int){pvm_parent()}, 1, 1);
    pvm_pkint(&(int){pvm_siblings(&tids)}, 1, 1);
    pvm_pkint(&(int){tids[0] == pvm_mytid()}, 1, 1);
    pvm_send(watcher, 2);
}

static void run(void)
{
    int tids[2], answer[3], count;
    struct pvmtaskinfo *tasks;
    conf_spawn_flags("child", PvmNoSpawnParent, NULL, 2, tids);
    CODE(pvm_tasks(tids[0], &count, &tasks));
    if (count == 1)
        printf("parent in the table: %s\n", conf_name(tasks[0].ti_ptid));
    for (int i = 0; i < 2; i++) {
        conf_signal(tids[i], 1);
        conf_take(tids[i], 2);
        pvm_upkint(answer, 3, 1);
        printf("parent %s, %d siblings, I am the first: %d\n", conf_name(answer[0]), answer[1],
               answer[2]);
    }
}

CONF_MAIN(run, {"child", child})
