/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-55 API-54 API-50
 * Probe and precv go through the custom matcher too.
 */
#include "conf.h"

static int only_tag_3(int mid, int tid, int tag)
{
    int message_tag;
    (void)tid;
    (void)tag;
    pvm_bufinfo(mid, NULL, &message_tag, NULL);
    return message_tag == 3;
}

static void run(void)
{
    const int me = pvm_mytid();
    int tag = 0, bytes = 0, value = 0;
    for (int i = 1; i <= 4; i++)
        pvm_psend(me, i, &(int){i * 5}, 1, PVM_INT);
    conf_take(me, 4);
    conf_recvf(only_tag_3);
    const int mid = pvm_probe(-1, 1);
    pvm_bufinfo(mid, NULL, &tag, NULL);
    NUM(tag);
    CODE(pvm_precv(-1, 1, &value, 1, PVM_INT, NULL, &tag, &bytes));
    printf("tag %d, %d bytes, value %d\n", tag, bytes, value);
    MID(pvm_probe(-1, -1));
    conf_recvf(NULL);
}

CONF_MAIN(run)
