/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-55
 * stderr: ignored
 * A negative result of the matcher is the receive's result, in each receiving call.
 */
#include "conf.h"

static int refuse(int mid, int tid, int tag)
{
    (void)mid;
    (void)tid;
    (void)tag;
    return PvmDenied;
}

static void run(void)
{
    const int me = pvm_mytid();
    struct timeval none = {0, 0};
    char byte;
    conf_send_int(me, 1, 1);
    conf_send_int(me, 2, 2);
    conf_take(me, 2);
    conf_recvf(refuse);
    CODE(pvm_recv(-1, -1));
    CODE(pvm_nrecv(-1, -1));
    CODE(pvm_trecv(-1, -1, &none));
    CODE(pvm_probe(-1, -1));
    CODE(pvm_precv(-1, -1, &byte, 1, PVM_BYTE, NULL, NULL, NULL));
    conf_recvf(NULL);
    NUM(conf_take_int(me, 1));
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run)
