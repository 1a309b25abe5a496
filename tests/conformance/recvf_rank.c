/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-55
 * Results above 1 are ranks: the highest wins, the earliest among equals.
 */
#include "conf.h"

static int by_value(int mid, int tid, int tag)
{
    int message_tag;
    (void)tid;
    (void)tag;
    pvm_bufinfo(mid, NULL, &message_tag, NULL);
    return message_tag / 10;
}

static void run(void)
{
    static const int tags[] = {21, 51, 31, 52, 5, 22};
    const int me = pvm_mytid();
    for (int i = 0; i < 6; i++)
        conf_send_int(me, tags[i], i);
    conf_signal(me, 99);
    conf_take(me, 99);
    conf_recvf(by_value);
    for (int i = 0; i < 5; i++) {
        int tag;
        pvm_bufinfo(pvm_recv(-1, -1), NULL, &tag, NULL);
        printf("took %d\n", tag);
    }
    MID(pvm_nrecv(-1, -1));
    conf_recvf(NULL);
    NUM(conf_take_int(me, 5));
}

CONF_MAIN(run)
