/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-55
 * A custom matcher sees buffer, tid and tag wanted, and takes messages by content rules.
 */
#include "conf.h"

static int asked_tid, asked_tag, calls;

static int even_tags(int mid, int tid, int tag)
{
    int message_tag;
    asked_tid = tid;
    asked_tag = tag;
    calls++;
    pvm_bufinfo(mid, NULL, &message_tag, NULL);
    return message_tag % 2 == 0;
}

static void run(void)
{
    const int me = pvm_mytid();
    for (int tag = 1; tag <= 5; tag++)
        conf_send_int(me, tag, tag);
    conf_take(me, 5);
    conf_matcher *old = conf_recvf(even_tags);
    YES(old != NULL);
    int tag;
    pvm_bufinfo(pvm_recv(1234, 77), NULL, &tag, NULL);
    printf("took tag %d, asked for tid %d tag %d\n", tag, asked_tid, asked_tag);
    YES(calls >= 2);
    pvm_bufinfo(pvm_nrecv(-1, 1), NULL, &tag, NULL);
    printf("took tag %d\n", tag);
    MID(pvm_nrecv(-1, -1));
    YES(conf_recvf(NULL) == even_tags);
    YES(conf_recvf(NULL) == old);
    NUM(conf_take_int(me, 1));
    NUM(conf_take_int(me, 3));
}

CONF_MAIN(run)
