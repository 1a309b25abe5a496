/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-44
 * Strides when unpacking: positive leaves gaps, 0 keeps the last, negative goes down.
 */
#include "conf.h"

static void show(const int *values)
{
    for (int i = 0; i < 8; i++)
        printf("%d ", values[i]);
    printf("\n");
}

static void run(void)
{
    int values[8], encodings[] = {PvmDataDefault, PvmDataRaw};
    for (int e = 0; e < 2; e++) {
        const int mid = pvm_initsend(encodings[e]);
        pvm_pkint((int[]){1, 2, 3}, 3, 1);
        for (int stride = -3; stride <= 3; stride++) {
            memset(values, 0, sizeof values);
            pvm_setsbuf(mid);
            pvm_setrbuf(mid);
            CODE(pvm_upkint(values + (stride < 0 ? 7 : 0), 3, stride));
            show(values);
        }
        pvm_freebuf(mid);
    }
}

CONF_MAIN(run)
