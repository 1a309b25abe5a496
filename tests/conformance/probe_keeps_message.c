/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-54
 * Probe finds the oldest match without taking it; again and then the receive name the same buffer.
 */
#include "conf.h"

static void run(void)
{
    const int me = pvm_mytid();
    int bytes, tag, value = 0;
    MID(pvm_probe(-1, -1));
    conf_send_int(me, 1, 100);
    conf_send_int(me, 2, 200);
    conf_send_int(me, 2, 201);
    conf_take(me, 1);
    while (pvm_probe(me, 2) == 0)
        conf_pause_ms(1);
    const int mid = pvm_probe(-1, -1);
    YES(mid > 0);
    YES(pvm_probe(me, 2) == mid);
    CODE(pvm_bufinfo(mid, &bytes, &tag, NULL));
    printf("tag %d, %d bytes\n", tag, bytes);
    YES(pvm_getrbuf() > 0 && pvm_getrbuf() != mid);
    CODE(pvm_upkint(&value, 1, 1));
    NUM(value);
    MID(pvm_probe(me, 3));
    YES(pvm_recv(me, 2) == mid);
    pvm_upkint(&value, 1, 1);
    NUM(value);
    NUM(conf_take_int(me, 2));
    MID(pvm_probe(-1, -1));
}

CONF_MAIN(run)
