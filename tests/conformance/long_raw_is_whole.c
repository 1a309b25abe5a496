/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-45
 * Raw and in-place longs keep all 64 bits and their sign.
 */
#include "conf.h"

static void run(void)
{
    for (int encoding = PvmDataRaw; encoding <= PvmDataInPlace; encoding++) {
        long sent[] = {-1, LONG_MIN, LONG_MAX, 1L << 40}, got[4] = {0};
        unsigned long high = ULONG_MAX - 5, high_got = 0;
        pvm_initsend(encoding);
        CODE(pvm_pklong(sent, 4, 1));
        CODE(pvm_pkulong(&high, 1, 1));
        CODE(pvm_send(pvm_mytid(), 1));
        conf_take(-1, 1);
        CODE(pvm_upklong(got, 4, 1));
        CODE(pvm_upkulong(&high_got, 1, 1));
        YES(memcmp(sent, got, sizeof sent) == 0 && high == high_got);
    }
}

CONF_MAIN(run)
