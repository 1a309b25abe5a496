/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-64 CST-8
 * The lowest index from a given one on.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_put("fst", 10, PvmMboxDirectIndex(2));
    box_put("fst", 11, PvmMboxDirectIndex(7));
    CODE(box_get("fst", 0, 0));
    NUM(box_get("fst", 0, PvmMboxFirstAvail));
    NUM(box_get("fst", 2, PvmMboxFirstAvail));
    NUM(box_get("fst", 3, PvmMboxFirstAvail));
    CODE(box_get("fst", 8, PvmMboxFirstAvail));
    NUM(box_get("fst", 7, PvmMboxDirectIndex(2)));
}

CONF_MAIN(run)
