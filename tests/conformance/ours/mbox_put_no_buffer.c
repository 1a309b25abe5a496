/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-63 QRK-5
 * The original waits for ever when the buffer is none.
 */
#include "conf_mbox.h"

static void run(void)
{
    CODE(pvm_putinfo("nob", 0, 0));
    CODE(pvm_putinfo("nob", -1, 0));
    CODE(pvm_putinfo("nob", 999, 0));
    box_list("nob");
}

CONF_MAIN(run)
