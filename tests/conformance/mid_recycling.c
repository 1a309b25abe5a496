/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-36 API-38
 * Buffer ids are small, differ while alive, and a thousand makes and frees stay small.
 */
#include "conf.h"

static void run(void)
{
    int mids[5], distinct = 1, highest = 0;
    for (int i = 0; i < 5; i++)
        mids[i] = pvm_mkbuf(PvmDataRaw);
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < i; j++)
            distinct &= mids[i] != mids[j];
    YES(distinct);
    for (int i = 0; i < 5; i++)
        CODE(pvm_freebuf(mids[i]));
    for (int i = 0; i < 1000; i++) {
        const int mid = pvm_mkbuf(PvmDataDefault);
        highest = mid > highest ? mid : highest;
        pvm_freebuf(mid);
    }
    YES(highest < 100);
    const int first = pvm_mkbuf(PvmDataDefault);
    pvm_freebuf(first);
    CODE(pvm_bufinfo(first, NULL, NULL, NULL));
}

CONF_MAIN(run)
