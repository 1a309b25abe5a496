/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-57
 * stderr: ignored
 * Numbers of message handlers: from 9, those of deleted ones again, the last deleted first. The
 * first call enrols.
 */
#include "conf.h"

extern int pvmmytid;

static int nothing(int mid)
{
    (void)mid;
    return 0;
}

static int add(int tag)
{
    return pvm_addmhf(-1, tag, 0, nothing);
}

static void run(void)
{
    NUM(add(1));
    YES(pvmmytid > 0);
    NUM(add(2));
    NUM(add(3));
    NUM(add(4));
    CODE(pvm_delmhf(10));
    CODE(pvm_delmhf(12));
    CODE(pvm_delmhf(11));
    NUM(add(5));
    NUM(add(6));
    NUM(add(7));
    NUM(add(8));
    CODE(pvm_delmhf(-1));
    CODE(pvm_delmhf(9));
    CODE(pvm_delmhf(9));
    CODE(pvm_delmhf(1000));
    CODE(pvm_delmhf(4));
    CODE(pvm_delmhf(4));
    NUM(add(9));
    NUM(add(10));
    int highest = 0;
    for (int tag = 100; tag < 200; tag++)
        highest = add(tag);
    NUM(highest);
}

CONF_MAIN(run)
