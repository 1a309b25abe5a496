/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-67
 * needs: own-vm
 * Entries end with their owner; persistent ones stay and are nobody's.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(1);
    box_do(0, "put", "end", 1, 0);
    box_do(0, "put", "endm", 2, PvmMboxMultiInstance);
    CODE(box_put("endm", 3, PvmMboxMultiInstance));
    box_do(0, "put", "endp", 4, PvmMboxPersistent);
    box_do(0, "put", "endo", 5, PvmMboxPersistent | PvmMboxOverWritable);
    box_list("end");
    box_end(0);
    box_list("end");
    NUM(box_get("endp", 0, 0));
    box_end_all(1);
    box_halt();
}

CONF_MAIN(run, {"worker", box_worker})
