/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-7
 * A process started by hand has itself as only sibling.
 */
#include "conf.h"

static void run(void)
{
    int *tids = NULL;
    CODE(pvm_siblings(&tids));
    YES(tids && tids[0] == pvm_mytid());
}

CONF_MAIN(run)
