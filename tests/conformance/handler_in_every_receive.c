/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-58 CONV-9
 * Handlers run inside whatever call looks for messages, before custom matchers see any.
 */
#include "conf.h"

static int count;

static int handle(int mid)
{
    (void)mid;
    count++;
    return 0;
}

static int only_seven(int mid, int tid, int tag)
{
    int message_tag;
    (void)tid;
    (void)tag;
    pvm_bufinfo(mid, NULL, &message_tag, NULL);
    if (message_tag == 5)
        printf("the matcher is asked about it\n");
    return message_tag == 7;
}

static void send_both(int me)
{
    conf_send_int(me, 5, 1);
    conf_send_int(me, 7, 2);
}

/* By calls that find nothing. */
static void wait_for_count(int wanted, int by_receive)
{
    const double end_s = conf_now_s() + CONF_RECEIVE_LIMIT_S;
    while (count < wanted && conf_now_s() < end_s) {
        if (by_receive ? pvm_nrecv(-1, -1) : pvm_probe(-1, -1))
            printf("it is there\n");
        conf_pause_ms(1);
    }
    NUM(count);
}

static void run(void)
{
    const int me = pvm_mytid();
    struct timeval limit = {CONF_RECEIVE_LIMIT_S, 0}, soon = {0, 100000};
    int value;
    pvm_addmhf(-1, 5, -1, handle);
    send_both(me);
    YES(pvm_recv(-1, -1) > 0);
    NUM(count);
    send_both(me);
    YES(pvm_trecv(-1, -1, &limit) > 0);
    NUM(count);
    send_both(me);
    CODE(pvm_precv(-1, -1, &value, 1, PVM_INT, NULL, NULL, NULL));
    NUM(count);
    send_both(me);
    conf_recvf(only_seven);
    YES(pvm_recv(-1, -1) > 0);
    conf_recvf(NULL);
    NUM(count);
    conf_send_int(me, 5, 1);
    CODE(pvm_trecv(-1, 5, &soon));
    NUM(count);
    value = 3;
    CODE(pvm_psend(me, 5, &value, 1, PVM_INT));
    CODE(pvm_trecv(-1, -1, &soon));
    NUM(count);
    conf_send_int(me, 5, 1);
    wait_for_count(7, 0);
    conf_send_int(me, 5, 1);
    wait_for_count(8, 1);
}

CONF_MAIN(run)
