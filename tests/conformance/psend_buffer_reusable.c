/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-49
 * The data given to psend may be changed as soon as it returns.
 */
#include "conf.h"

enum { COUNT = 500000 };

static void run(void)
{
    static int data[COUNT], back[COUNT];
    int wrong = 0;
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < COUNT; i++)
            data[i] = i * round;
        CODE(pvm_psend(pvm_mytid(), round, data, COUNT, PVM_INT));
    }
    for (int round = 3; round >= 1; round--) {
        CODE(pvm_precv(-1, round, back, COUNT, PVM_INT, NULL, NULL, NULL));
        for (int i = 0; i < COUNT; i++)
            wrong += back[i] != i * round;
    }
    NUM(wrong);
}

CONF_MAIN(run)
