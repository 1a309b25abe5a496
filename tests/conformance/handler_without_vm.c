/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-57
 * needs: no-vm
 * stderr: ignored
 * Handlers are added and deleted although there is no daemon to enrol with.
 */
#include "conf.h"

static int nothing(int mid)
{
    (void)mid;
    return 0;
}

static void run(void)
{
    const int first = pvm_addmhf(1, 2, 3, nothing);
    YES(first >= 0);
    CODE(pvm_addmhf(-1, -1, 3, nothing));
    YES(pvm_addmhf(1, 2, 4, nothing) == first + 1);
    CODE(pvm_delmhf(first));
    CODE(pvm_delmhf(first));
    CODE(pvm_delmhf(-3));
    YES(pvm_addmhf(1, 2, 3, nothing) == first);
    CODE(pvm_mytid());
}

CONF_MAIN(run)
