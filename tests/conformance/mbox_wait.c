/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-64 CST-8
 * Who waits for an entry gets it when it is put.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(2);
    box_tell(0, "get", "wait", 0, PvmMboxWaitForInfo);
    box_do(1, "get", "wait", 0, 0);
    CODE(box_put("wait", 7, 0));
    box_hear(0, "waited");
    box_list("wait");
    CODE(box_get("wait", 0, PvmMboxWaitForInfo));
    box_end_all(2);
}

CONF_MAIN(run, {"worker", box_worker})
