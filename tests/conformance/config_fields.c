/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-9 CST-15
 * hosts: its output tells their number
 * The host table of a one-host machine; every pointer may be NULL.
 */
#include "conf.h"

static void run(void)
{
    int hosts = -1, formats = -1;
    struct pvmhostinfo *table = NULL;
    CODE(pvm_config(&hosts, &formats, &table));
    printf("%d hosts, %d formats\n", hosts, formats);
    YES(table[0].hi_tid == pvm_tidtohost(pvm_mytid()));
    puts(table[0].hi_name);
    puts(table[0].hi_arch);
    printf("speed %d, signature %08x\n", table[0].hi_speed, (unsigned)table[0].hi_dsig);
    CODE(pvm_config(NULL, NULL, NULL));
    CODE(pvm_config(&hosts, NULL, NULL));
    CODE(pvm_config(NULL, &formats, NULL));
    CODE(pvm_config(NULL, NULL, &table));
    puts(table[0].hi_name);
}

CONF_MAIN(run)
