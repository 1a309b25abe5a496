/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-2
 * Leaving without having joined, and twice, is no error.
 */
#include "conf.h"

static void run(void)
{
    CODE(pvm_exit());
    CODE(pvm_exit());
    YES(pvm_mytid() > 0);
    CODE(pvm_exit());
    CODE(pvm_exit());
}

CONF_MAIN(run)
