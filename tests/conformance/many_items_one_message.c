/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44 API-45
 * 10,000 single items of changing type in one message come back in order.
 */
#include "conf.h"

enum { COUNT = 10000 };

static void run(void)
{
    for (int encoding = PvmDataDefault; encoding <= PvmDataRaw; encoding++) {
        int wrong = 0, bytes = 0;
        pvm_initsend(encoding);
        for (int i = 0; i < COUNT; i++) {
            switch (i % 4) {
            case 0: wrong += pvm_pkint(&i, 1, 1) != 0; break;
            case 1: wrong += pvm_pkdouble(&(double){i / 2.0}, 1, 1) != 0; break;
            case 2: wrong += pvm_pkbyte((char *)&i, i % 5, 1) != 0; break;
            case 3: wrong += pvm_pkshort(&(short){(short)i}, 1, 1) != 0; break;
            }
        }
        pvm_send(pvm_mytid(), 1);
        pvm_bufinfo(conf_take(-1, 1), &bytes, NULL, NULL);
        for (int i = 0; i < COUNT; i++) {
            int n = 0;
            double d = 0;
            short s = 0;
            char b[8];
            switch (i % 4) {
            case 0: wrong += pvm_upkint(&n, 1, 1) != 0 || n != i; break;
            case 1: wrong += pvm_upkdouble(&d, 1, 1) != 0 || d != i / 2.0; break;
            case 2: wrong += pvm_upkbyte(b, i % 5, 1) != 0 || memcmp(b, &i, i % 5);
                    break;
            case 3: wrong += pvm_upkshort(&s, 1, 1) != 0 || s != (short)i; break;
            }
        }
        printf("encoding %d: %d bytes, %d wrong\n", encoding, bytes, wrong);
    }
}

CONF_MAIN(run)
