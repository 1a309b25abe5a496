/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-52
 * A non-blocking receive without a match yields 0 and still frees the old receive buffer.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    conf_send_int(me, 1, 11);
    const int mid = conf_take(me, 1);
    YES(pvm_getrbuf() == mid);
    MID(pvm_nrecv(-1, 2));
    MID(pvm_getrbuf());
    CODE(pvm_bufinfo(mid, NULL, NULL, NULL));
    CODE(pvm_upkint(&(int){0}, 1, 1));
}

CONF_MAIN(run)
