/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-1 API-2 API-3
 * A hundred times joining and leaving: every tid is new.
 */
#include "conf.h"

static void run(void)
{
    int last = 0, ascending = 1;
    for (int i = 0; i < 100; i++) {
        const int tid = pvm_mytid();
        ascending &= tid > last;
        last = tid;
        ascending &= pvm_exit() == 0;
    }
    YES(ascending);
}

CONF_MAIN(run)
