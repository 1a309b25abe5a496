/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-36 API-38
 * Two thousand buffers alive at once, each with content, all found again.
 */
#include "conf.h"

enum { COUNT = 2000 };

static void run(void)
{
    static int mids[COUNT];
    int wrong = 0;
    for (int i = 0; i < COUNT; i++) {
        mids[i] = pvm_mkbuf(PvmDataDefault);
        pvm_setsbuf(mids[i]);
        wrong += mids[i] <= 0 || pvm_pkint(&i, 1, 1) != 0;
    }
    for (int i = COUNT - 1; i >= 0; i--) {
        int value = -1;
        pvm_setrbuf(mids[i]);
        wrong += pvm_upkint(&value, 1, 1) != 0 || value != i;
    }
    for (int i = 0; i < COUNT; i++)
        wrong += pvm_freebuf(mids[(i * 7) % COUNT]) != 0;
    NUM(wrong);
}

CONF_MAIN(run)
