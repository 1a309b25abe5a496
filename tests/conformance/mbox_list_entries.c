/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-66
 * Entries by ascending index, with owners and flags.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(1);
    box_put("ent", 1, PvmMboxDirectIndex(9));
    box_do(0, "put", "ent", 2, PvmMboxDirectIndex(4) | PvmMboxOverWritable);
    box_put("ent", 3, PvmMboxPersistent | PvmMboxOverWritable);
    box_do(0, "put", "ent", 4, PvmMboxDirectIndex(6));
    box_list("ent");
    pvm_delinfo("ent", 0, 0);
    box_end_all(1);
}

CONF_MAIN(run, {"worker", box_worker})
