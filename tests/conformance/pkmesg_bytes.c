/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-43 API-45
 * The bytes pkmesg adds: eight ints, then length and bytes of each fragment.
 */
#include "conf.h"

static void run(void)
{
    unsigned char bytes[128];
    int size = 0;
    const int inner = pvm_mkbuf(PvmDataRaw);
    pvm_setsbuf(inner);
    pvm_pkbyte("hello", 5, 1);
    pvm_setminfo(inner, &(struct pvmminfo){.ctx = 3, .tag = 4, .wid = 5, .src = 7, .dst = 8});
    for (int encoding = PvmDataDefault; encoding <= PvmDataRaw; encoding++) {
        const int outer = pvm_mkbuf(encoding);
        pvm_setsbuf(outer);
        CODE(pvm_pkmesg(inner));
        CODE(pvm_bufinfo(outer, &size, NULL, NULL));
        pvm_setrbuf(outer);
        CODE(pvm_upkbyte((char *)bytes, size, 1));
        conf_hex("bytes", bytes, size);
        pvm_freebuf(outer);
    }
}

CONF_MAIN(run)
