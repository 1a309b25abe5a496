/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-43
 * A packed message with a negative fragment length is PvmBadMsg; the original says PvmNoData.
 */
#include "conf.h"

static void run(void)
{
    const int broken = pvm_initsend(PvmDataDefault);
    pvm_pkint((int[]){8, 0, 0, 0, 0, 0, 0, 0}, 8, 1);
    pvm_pkint(&(int){-4}, 1, 1);
    pvm_setrbuf(broken);
    MID(pvm_upkmesg());
}

CONF_MAIN(run)
