/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63 CST-8
 * Instances of two tasks share the indices of a class, not the right to replace.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_start(1);
    NUM(box_put("both", 1, PvmMboxMultiInstance));
    box_do(0, "put", "both", 2, PvmMboxMultiInstance);
    NUM(box_put("both", 3, PvmMboxMultiInstance));
    box_do(0, "put", "both", 4, 0);
    box_do(0, "put", "both", 5, 1 << 10);
    CODE(box_put("both", 6, 1 << 10));
    box_list("both");
    box_end_all(1);
}

CONF_MAIN(run, {"worker", box_worker})
