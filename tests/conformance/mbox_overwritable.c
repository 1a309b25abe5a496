/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63 API-65 CST-8
 * An entry that may be overwritten is anybody's, and its new owner decides anew.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(1);
    CODE(box_put("ovw", 1, PvmMboxOverWritable));
    box_do(0, "put", "ovw", 2, 0);
    box_list("ovw");
    NUM(box_get("ovw", 0, 0));
    CODE(box_put("ovw", 3, 0));
    CODE(pvm_delinfo("ovw", 0, 0));
    box_do(0, "put", "ovw", 4, PvmMboxOverWritable);
    CODE(pvm_delinfo("ovw", 0, 0));
    box_list("ovw");
    CODE(box_put("ovw", 5, PvmMboxOverWritable));
    box_do(0, "get", "ovw", 0, PvmMboxReadAndDelete);
    box_list("ovw");
    box_end_all(1);
}

CONF_MAIN(run, {"worker", box_worker})
