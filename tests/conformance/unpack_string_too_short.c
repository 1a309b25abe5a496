/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-45
 * A string whose stated length exceeds the message, or is zero or negative.
 */
#include "conf.h"

static void attempt(int encoding, int length)
{
    char text[64] = "untouched";
    const int mid = pvm_mkbuf(encoding);
    pvm_setsbuf(mid);
    pvm_pkint(&length, 1, 1);
    pvm_pkbyte("abcdefgh", 8, 1);
    pvm_setrbuf(mid);
    printf("encoding %d, length %d: %s\n", encoding, length, conf_name(pvm_upkstr(text)));
    pvm_freebuf(mid);
}

static void run(void)
{
    for (int encoding = PvmDataDefault; encoding <= PvmDataRaw; encoding++) {
        attempt(encoding, 5);
        attempt(encoding, 8);
        attempt(encoding, 13);
        attempt(encoding, 0);
    }
}

CONF_MAIN(run)
