/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-64 CST-8
 * Tasks that wait for each other's entries, one after another.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(3);
    box_tell(0, "get", "ch3", 0, PvmMboxWaitForInfo);
    box_tell(1, "get", "ch2", 0, PvmMboxWaitForInfo);
    box_tell(2, "get", "ch1", 0, PvmMboxWaitForInfo);
    for (int i = 3; i > 0; i--) {
        char name[8];
        snprintf(name, sizeof name, "ch%d", 4 - i);
        CODE(box_put(name, i, 0));
        box_hear(i - 1, name);
    }
    box_end_all(3);
}

CONF_MAIN(run, {"worker", box_worker})
