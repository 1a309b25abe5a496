/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-67 API-2 API-3
 * needs: own-vm
 * pvm_exit() is the end of a task: who comes back owns nothing of what it had.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_put("lv", 1, 0);
    box_put("lvp", 2, PvmMboxPersistent | PvmMboxOverWritable);
    CODE(pvm_exit());
    YES(pvm_mytid() > 0);
    box_list("lv");
    CODE(box_put("lvp", 3, 0));
    box_halt();
}

CONF_MAIN(run)
