/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-45
 * Bytes packed in one call and unpacked in several: padding is per call in the default encoding.
 */
#include "conf.h"

static void attempt(int encoding, int first, int second)
{
    char bytes[16] = {0};
    const int mid = pvm_initsend(encoding);
    pvm_pkbyte("abcdefghij", 10, 1);
    pvm_setrbuf(mid);
    const int one = pvm_upkbyte(bytes, first, 1);
    const int two = pvm_upkbyte(bytes + first, second, 1);
    printf("encoding %d, %d+%d: %s %s %s\n", encoding, first, second, conf_name(one),
           conf_name(two), two == 0 ? bytes : "");
    pvm_freebuf(mid);
}

static void run(void)
{
    for (int encoding = PvmDataDefault; encoding <= PvmDataRaw; encoding++) {
        attempt(encoding, 4, 6);
        attempt(encoding, 3, 7);
        attempt(encoding, 8, 2);
        attempt(encoding, 1, 9);
        attempt(encoding, 10, 0);
        attempt(encoding, 9, 1);
    }
}

CONF_MAIN(run)
