/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-58
 * stderr: ignored
 * In a handler the message is the active receive buffer, there is no send buffer, and the context
 * is the message's; afterwards all three are as before, and the message is gone.
 */
#include "conf.h"

static int me, handled_mid, left_mid, made_mid;

static int look(int mid)
{
    int bytes, tag, tid, value = 0;
    YES(pvm_getrbuf() == mid);
    NUM(pvm_getsbuf());
    NUM(pvm_getcontext());
    CODE(pvm_bufinfo(mid, &bytes, &tag, &tid));
    printf("%d bytes, tag %d, from me: %d\n", bytes, tag, tid == me);
    CODE(pvm_upkint(&value, 1, 1));
    NUM(value);
    handled_mid = mid;
    left_mid = pvm_initsend(PvmDataDefault);
    made_mid = pvm_mkbuf(PvmDataDefault);
    pvm_setcontext(55);
    return -5;
}

static void run(void)
{
    me = pvm_mytid();
    pvm_addmhf(-1, 5, -1, look);
    conf_signal(me, 98);
    const int reading = conf_take(me, 98), sending = pvm_initsend(PvmDataRaw);
    pvm_setcontext(33);
    conf_send_int(me, 5, 1234);
    conf_signal(me, 99);
    /* A message in two contexts' way: the outer call waits for one of context 33. */
    struct timeval limit = {CONF_RECEIVE_LIMIT_S, 0};
    pvm_setrbuf(reading);
    int mid = pvm_probe(me, 99);
    for (double end_s = conf_now_s() + CONF_RECEIVE_LIMIT_S; mid == 0 && conf_now_s() < end_s;) {
        conf_pause_ms(2);
        mid = pvm_probe(me, 99);
    }
    YES(mid > 0);
    NUM(pvm_getcontext());
    YES(pvm_getsbuf() == sending);
    YES(pvm_getrbuf() == reading);
    YES(handled_mid > 0);
    CODE(pvm_bufinfo(left_mid, NULL, NULL, NULL));
    CODE(pvm_bufinfo(made_mid, NULL, NULL, NULL));
    YES(pvm_trecv(me, 99, &limit) == mid);
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run)
