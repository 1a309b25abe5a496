/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-57 API-58
 * stderr: ignored
 * A handler gets what comes, not what already waits; without it messages wait again.
 */
#include "conf.h"

static int handle(int mid)
{
    int value = 0;
    (void)mid;
    pvm_upkint(&value, 1, 1);
    printf("handled %d\n", value);
    return 0;
}

/* All that was sent so far has come. */
static void settle(int me)
{
    conf_signal(me, 99);
    conf_take(me, 99);
}

static void run(void)
{
    const int me = pvm_mytid();
    conf_send_int(me, 5, 1);
    settle(me);
    const int handler = pvm_addmhf(me, 5, 0, handle);
    conf_send_int(me, 5, 2);
    settle(me);
    NUM(conf_take_int(me, 5));
    MID(pvm_nrecv(-1, -1));
    CODE(pvm_delmhf(handler));
    conf_send_int(me, 5, 3);
    settle(me);
    NUM(conf_take_int(me, 5));
}

CONF_MAIN(run)
