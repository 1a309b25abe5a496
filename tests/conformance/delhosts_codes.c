/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-11
 * hosts: of several the master may be deleted: it hands over first (faults.md)
 * Errors of delhosts: not in the machine, the master, named twice, bad counts.
 */
#include "conf.h"

static void run(void)
{
    struct pvmhostinfo *table;
    int infos[3] = {9, 9, 9};
    pvm_config(NULL, NULL, &table);
    char *unknown[] = {"no-such-host", "no-such-host", "another"};
    char *master[] = {table[0].hi_name, "."};
    CODE(pvm_delhosts(unknown, 0, infos));
    CODE(pvm_delhosts(unknown, -1, infos));
    CODE(pvm_delhosts(unknown, 3, infos));
    for (int i = 0; i < 3; i++)
        printf("%s\n", conf_name(infos[i]));
    CODE(pvm_delhosts(master, 2, infos));
    for (int i = 0; i < 2; i++)
        printf("%s\n", conf_name(infos[i]));
    CODE(pvm_delhosts(unknown, 1, NULL));
    CODE(pvm_mstat(table[0].hi_name));
}

CONF_MAIN(run)
