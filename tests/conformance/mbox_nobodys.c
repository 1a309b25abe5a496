/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-67 QRK-10
 * needs: own-vm
 * What is nobody's can be read, not replaced, taken or deleted, unless it may be overwritten.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(1);
    box_do(0, "put", "non", 1, PvmMboxPersistent);
    box_do(0, "put", "nono", 2, PvmMboxPersistent | PvmMboxOverWritable);
    box_end(0);
    CODE(box_put("non", 3, 0));
    CODE(box_put("non", 3, PvmMboxOverWritable));
    CODE(pvm_delinfo("non", 0, 0));
    CODE(box_get("non", 0, PvmMboxReadAndDelete));
    NUM(box_get("non", 0, 0));
    CODE(box_put("nono", 4, 0));
    box_list("non");
    CODE(pvm_delinfo("nono", 0, 0));
    box_end_all(1);
    box_halt();
}

CONF_MAIN(run, {"worker", box_worker})
