/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-12 CONV-5
 * State of hosts by name: in the machine, not in it, empty.
 */
#include "conf.h"

static void run(void)
{
    struct pvmhostinfo *table;
    pvm_config(NULL, NULL, &table);
    CODE(pvm_mstat(table[0].hi_name));
    CODE(pvm_mstat("."));
    pvm_errno = 7;
    CODE(pvm_mstat("no-such-host"));
    NUM(pvm_errno);
    CODE(pvm_mstat("LOCALHOST"));
    CODE(pvm_mstat(""));
    CODE(pvm_mstat(NULL));
}

CONF_MAIN(run)
