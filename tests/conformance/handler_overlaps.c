/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-57
 * A handler for messages of which another would get some is refused.
 */
#include "conf.h"
#include <pvmproto.h>

static int nothing(int mid)
{
    (void)mid;
    return 0;
}

static void add(int source, int tag, int context)
{
    const int handler = pvm_addmhf(source, tag, context, nothing);
    printf("source %d tag %d context %d: %s\n", source, tag, context,
           handler > 0 ? "added" : conf_name(handler));
}

static void run(void)
{
    pvm_setopt(PvmAutoErr, 0);
    YES(pvm_mytid() > 0);
    add(-1, -1, -1);
    add(1, 2, 3);
    add(1, 2, 3);
    add(-1, 2, 3);
    add(1, -1, 3);
    add(1, 2, -1);
    add(1, 2, 4);
    add(1, 3, 3);
    add(2, 2, 3);
    add(1, -1, 5);
    add(1, 7, 5);
    add(2, 7, 5);
    add(-1, 7, 5);
    add(-1, 8, 5);
    add(77, 88, -1);
    add(-1, 88, 6);
    add(78, 88, 6);
    add(-2, 2, 3);
    add(1, -2, 3);
    add(1, 2, -2);
    add(-1, -1, 1000);
    add(-1, -1, 0x7ffff);
    for (int tag = TC_FIRST; tag <= TC_FIRST + 12; tag++)
        add(500, tag, 0x7ffff);
    pvm_setopt(PvmAutoErr, 1);
    pvm_addmhf(1, 2, 3, nothing);
}

CONF_MAIN(run)
