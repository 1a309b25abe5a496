/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-45 API-46
 * A string cannot be packed in place, by packf no more than by pkstr.
 */
#include "conf.h"

static void run(void)
{
    pvm_initsend(PvmDataInPlace);
    CODE(pvm_pkstr("text"));
    CODE(pvm_packf("%s", "text"));
    CODE(pvm_packf("%3.2d", (int[]){1, 2, 3, 4, 5, 6}));
}

CONF_MAIN(run)
