/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-66
 * Classes in the order in which they came to be; one that was empty comes anew.
 */
#include "conf_mbox.h"

static void run(void)
{
    box_put("ord-c", 1, 0);
    box_put("ord-a", 1, 0);
    box_put("ord-b", 1, 0);
    box_list("ord-");
    box_put("ord-c", 2, 0);
    box_list("ord-");
    pvm_delinfo("ord-c", 0, 0);
    box_put("ord-c", 3, 0);
    box_list("ord-");
}

CONF_MAIN(run)
