/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63 API-65 CST-8
 * What another owns can be read, not replaced, taken or deleted.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(1);
    CODE(box_put("den", 1, 0));
    box_do(0, "put", "den", 2, 0);
    box_do(0, "put", "den", 2, PvmMboxOverWritable);
    box_do(0, "get", "den", 0, 0);
    box_do(0, "get", "den", 0, PvmMboxReadAndDelete);
    box_do(0, "del", "den", 0, 0);
    box_list("den");
    box_end_all(1);
}

CONF_MAIN(run, {"worker", box_worker})
