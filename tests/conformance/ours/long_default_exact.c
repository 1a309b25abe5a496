/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-45 QRK-2 D9
 * Negative longs keep their sign in the default encoding; what does not fit 32 bits is PvmOverflow.
 */
#include "conf.h"

static void run(void)
{
    long sent[] = {0, 1, -1, INT_MAX, INT_MIN}, got[5] = {7, 7, 7, 7, 7}, big = 1L << 40;
    unsigned long positive[] = {0, 1, UINT_MAX}, positive_got[3] = {0}, too_big = 1UL << 32;
    int bytes = -1;
    const int mid = pvm_initsend(PvmDataDefault);
    CODE(pvm_pklong(sent, 5, 1));
    CODE(pvm_pkulong(positive, 3, 1));
    CODE(pvm_pklong(&big, 1, 1));
    CODE(pvm_pklong(&(long){(long)INT_MAX + 1}, 1, 1));
    CODE(pvm_pklong(&(long){(long)INT_MIN - 1}, 1, 1));
    CODE(pvm_pkulong(&too_big, 1, 1));
    CODE(pvm_packf("%ld", LONG_MAX));
    CODE(pvm_bufinfo(mid, &bytes, NULL, NULL));
    NUM(bytes);
    CODE(pvm_send(pvm_mytid(), 1));
    conf_take(-1, 1);
    CODE(pvm_upklong(got, 5, 1));
    YES(memcmp(sent, got, sizeof sent) == 0);
    CODE(pvm_upkulong(positive_got, 3, 1));
    YES(memcmp(positive, positive_got, sizeof positive) == 0);
}

CONF_MAIN(run)
