/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-50
 * A message whose length is no multiple of the type's size.
 */
#include "conf.h"

static void run(void)
{
    for (int bytes = 5; bytes <= 9; bytes++) {
        int values[4] = {0}, length = -1;
        pvm_psend(pvm_mytid(), 1, "\1\0\0\0\2\0\0\0\3\0\0\0", bytes, PVM_BYTE);
        CODE(pvm_precv(-1, 1, values, 3, PVM_INT, NULL, NULL, &length));
        printf("%d: %d %d %d\n", length, values[0], values[1], values[2]);
    }
}

CONF_MAIN(run)
