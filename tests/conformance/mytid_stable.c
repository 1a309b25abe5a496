/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-1 API-6 CST-1
 * The own tid is positive, stays the same and lies on the first host.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    YES(me > 0);
    YES(pvm_mytid() == me);
    YES(pvm_tidtohost(me) == 0x40000);
    YES((me & 0x3ffff) != 0);
    YES((me & 0xc0000000) == 0);
}

CONF_MAIN(run)
