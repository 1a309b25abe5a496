/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-18
 * The data signature by architecture name.
 */
#include "conf.h"

static void run(void)
{
    struct pvmhostinfo *table;
    pvm_config(NULL, NULL, &table);
    YES(pvm_archcode(table[0].hi_arch) == table[0].hi_dsig);
    CODE(pvm_archcode("NOSUCHARCH"));
    CODE(pvm_archcode("linux64"));
    CODE(pvm_archcode(""));
    CODE(pvm_archcode(NULL));
}

CONF_MAIN(run)
