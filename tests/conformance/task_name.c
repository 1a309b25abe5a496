/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-8 API-13
 * pvmsettaskname before enrolling names a process started by hand; NULL and too late are errors.
 */
#include "conf.h"

int pvmsettaskname(char *name);

static void show(void)
{
    int count = 0;
    struct pvmtaskinfo *tasks;
    pvm_tasks(pvm_mytid(), &count, &tasks);
    printf("%d tasks, name '%s'\n", count, count > 0 ? tasks[0].ti_a_out : "?");
}

static void run(void)
{
    CODE(pvmsettaskname(NULL));
    CODE(pvmsettaskname("worker"));
    CODE(pvmsettaskname("walker"));
    pvm_mytid();
    show();
    CODE(pvmsettaskname("other"));
    pvm_exit();
    pvm_mytid();
    show();
}

CONF_MAIN(run)
