/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-69
 * needs: own-vm
 * A reset without ending tasks removes what is persistent and nobody's: one index, one class, all.
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

    CODE(pvmreset(pvm_mytid(), 0, "km", 9));
    CODE(pvmreset(pvm_mytid(), 0, "nosuch", -1));
    box_list("k");
    CODE(pvmreset(pvm_mytid(), 0, "km", 1));
    box_list("k");
    CODE(pvmreset(pvm_mytid(), 0, "km", -1));
    box_list("k");
    CODE(pvmreset(pvm_mytid(), 0, NULL, -1));
    box_list("k");
    box_end_all(3);
    box_halt();
}

CONF_MAIN(run, {"worker", box_worker})
