/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63 CST-8
 * Bits without a meaning are kept and listed.
 */
#include "conf_mbox.h"

static void run(void)
{
    NUM(box_put("bits", 1, 64));
    NUM(box_put("more", 2, 512 | PvmMboxOverWritable));
    box_list("bits");
    box_list("more");
}

CONF_MAIN(run)
