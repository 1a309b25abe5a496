/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: CONV-11 API-9 API-13
 * Results of config and tasks stay readable until the next call of the same function.
 */
#include "conf.h"

static void run(void)
{
    struct pvmhostinfo *hosts;
    struct pvmtaskinfo *tasks;
    int count = 0, found = 0;
    pvm_config(NULL, NULL, &hosts);
    pvm_tasks(0, &count, &tasks);
    for (int i = 0; i < 50; i++) {
        conf_send_int(pvm_mytid(), 1, i);
        conf_take(-1, 1);
    }
    pvm_pstat(pvm_mytid());
    pvm_mstat(".");
    puts(hosts[0].hi_name);
    for (int i = 0; i < count; i++)
        found += tasks[i].ti_tid == pvm_mytid();
    NUM(found);
    for (int i = 0; i < 100; i++) {
        pvm_config(NULL, NULL, &hosts);
        pvm_tasks(0, &count, &tasks);
    }
    puts(hosts[0].hi_arch);
}

CONF_MAIN(run)
