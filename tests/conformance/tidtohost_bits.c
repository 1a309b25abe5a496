/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-6
 * The host part of any number, task or not.
 */
#include "conf.h"

static void run(void)
{
    static const unsigned tids[] = {0x40001, 0x80005, 0x3fffffff, 0, 1, 0x40000, 0x80040000u,
                                    0x80000000u, 0x40040001, 0xffffffffu};
    for (size_t i = 0; i < sizeof tids / sizeof tids[0]; i++)
        printf("%x: %x\n", tids[i], (unsigned)pvm_tidtohost((int)tids[i]));
}

CONF_MAIN(run)
