/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-69
 * needs: own-vm
 * A reset ends all tasks but oneself and those on the list, and removes what they leave.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(3);
    box_do(0, "put", "k0p", 1, PvmMboxPersistent);
    box_do(0, "put", "k0", 1, 0);
    box_do(1, "noreset", "", 1, 0);
    box_do(1, "put", "k1p", 1, PvmMboxPersistent);
    box_do(2, "put", "k2p", 1, PvmMboxPersistent);
    box_do(2, "put", "km", 1, PvmMboxPersistent | PvmMboxMultiInstance);
    box_do(2, "put", "km", 2, PvmMboxPersistent | PvmMboxMultiInstance);
    box_do(0, "put", "km", 3, PvmMboxPersistent | PvmMboxMultiInstance);
    CODE(box_put("kme", 1, PvmMboxPersistent));
    box_end(2);
    box_list("k");

    CODE(pvmreset(pvm_mytid(), 1, NULL, -1));
    conf_wait_gone(box_workers[0]);
    CODE(pvm_pstat(box_workers[1]));
    box_list("k");
    box_do(1, "noreset", "", 0, 0);
    CODE(pvmreset(pvm_mytid(), 1, "nosuch", 0));
    conf_wait_gone(box_workers[1]);
    box_list("k");
    box_end_all(3);
    box_halt();
}

CONF_MAIN(run, {"worker", box_worker})
