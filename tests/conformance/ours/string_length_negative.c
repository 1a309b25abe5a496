/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-45
 * A string whose stated length is negative or too large is an error and nothing is written.
 */
#include "conf.h"

static void attempt(int encoding, int length)
{
    char text[16] = "untouched";
    const int mid = pvm_mkbuf(encoding);
    pvm_setsbuf(mid);
    pvm_pkint(&length, 1, 1);
    pvm_pkbyte("abcd", 4, 1);
    pvm_setrbuf(mid);
    const int code = pvm_upkstr(text);
    printf("encoding %d, length %d: %s, %s\n", encoding, length,
           code == PvmBadMsg || code == PvmNoData ? "refused" : conf_name(code), text);
    pvm_freebuf(mid);
}

static void run(void)
{
    pvm_setopt(PvmAutoErr, 0);
    for (int encoding = PvmDataDefault; encoding <= PvmDataRaw; encoding++) {
        attempt(encoding, -1);
        attempt(encoding, INT_MIN);
        attempt(encoding, INT_MAX);
        attempt(encoding, 9);
    }
}

CONF_MAIN(run)
