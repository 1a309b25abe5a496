/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-2 API-57
 * stderr: ignored
 * pvm_exit takes all handlers away; numbers begin anew.
 */
#include "conf.h"

static int handle(int mid)
{
    (void)mid;
    printf("handled\n");
    return 0;
}

static void run(void)
{
    NUM(pvm_addmhf(-1, 5, -1, handle));
    NUM(pvm_addmhf(-1, 6, -1, handle));
    int me = pvm_mytid();
    conf_send_int(me, 5, 1);
    conf_signal(me, 99);
    conf_take(me, 99);
    CODE(pvm_exit());
    me = pvm_mytid();
    conf_send_int(me, 5, 2);
    NUM(conf_take_int(me, 5));
    NUM(pvm_addmhf(-1, 6, -1, handle));
}

CONF_MAIN(run)
