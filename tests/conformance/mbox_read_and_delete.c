/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-64 CST-8
 * What is taken is gone; a class without entries is too.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_put("take", 1, PvmMboxMultiInstance);
    box_put("take", 2, PvmMboxMultiInstance);
    NUM(box_get("take", 0, PvmMboxReadAndDelete));
    CODE(box_get("take", 0, PvmMboxReadAndDelete));
    NUM(box_get("take", 0, PvmMboxReadAndDelete | PvmMboxFirstAvail));
    box_list("take");
    NUM(box_put("take", 3, PvmMboxMultiInstance));
}

CONF_MAIN(run)
