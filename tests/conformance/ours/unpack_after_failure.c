/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44
 * After a failed unpack nothing was taken: the place in the message is as before. In the
 * original it is somewhere behind.
 */
#include "conf.h"

static void run(void)
{
    int values[4] = {11, 12, 13, 14}, back[8];
    for (int encoding = PvmDataDefault; encoding <= PvmDataRaw; encoding++) {
        for (int i = 0; i < 8; i++)
            back[i] = -1;
        const int mid = pvm_mkbuf(encoding);
        pvm_setsbuf(mid);
        pvm_pkint(values, 4, 1);
        pvm_setrbuf(mid);
        CODE(pvm_upkint(back, 1, 1));
        CODE(pvm_upkint(back + 1, 5, 1));
        CODE(pvm_upkint(back, 1, 1));
        pvm_freebuf(mid);
    }
}

CONF_MAIN(run)
