/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-36 API-38 API-39
 * Many buffers alive at once, filled, sent from and freed in a scattered order.
 */
#include "conf.h"

enum { COUNT = 50 };

static void run(void)
{
    const int me = pvm_mytid();
    int mids[COUNT], wrong = 0, value;
    for (int i = 0; i < COUNT; i++) {
        mids[i] = pvm_mkbuf(i % 2 ? PvmDataRaw : PvmDataDefault);
        pvm_setsbuf(mids[i]);
        pvm_pkint(&i, 1, 1);
    }
    for (int i = 0; i < COUNT; i++) {
        const int which = (i * 17) % COUNT;
        pvm_setsbuf(mids[which]);
        pvm_send(me, 100 + which);
        if (i % 3 == 0)
            pvm_setsbuf(0);
        wrong += pvm_freebuf(mids[which]) != 0;
    }
    for (int i = 0; i < COUNT; i++) {
        conf_take(me, 100 + (i * 31) % COUNT);
        pvm_upkint(&value, 1, 1);
        wrong += value != (i * 31) % COUNT;
    }
    NUM(wrong);
    MID(pvm_getsbuf());
}

CONF_MAIN(run)
