/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-57 API-58
 * stderr: ignored
 * A handler that deletes itself and adds another: both count from the next message on, and what is
 * not handled keeps its order.
 */
#include "conf.h"

static int handler, calls;

static int second(int mid)
{
    int value = 0;
    (void)mid;
    pvm_upkint(&value, 1, 1);
    printf("second %d\n", value);
    return 0;
}

static int first(int mid)
{
    int value = 0;
    (void)mid;
    pvm_upkint(&value, 1, 1);
    printf("first %d\n", value);
    if (++calls == 3) {
        CODE(pvm_delmhf(handler));
        YES(pvm_addmhf(-1, 6, -1, second) > 0);
    }
    return 0;
}

static void child(void)
{
    for (int i = 0; i < 10; i++) {
        conf_send_int(pvm_parent(), 5, i);
        conf_send_int(pvm_parent(), 6, 100 + i);
    }
    conf_signal(pvm_parent(), 99);
}

static void run(void)
{
    handler = pvm_addmhf(-1, 5, -1, first);
    const int tid = conf_spawn("child");
    conf_take(tid, 99);
    while (pvm_nrecv(tid, -1) > 0) {
        int value = 0, tag;
        pvm_upkint(&value, 1, 1);
        pvm_bufinfo(pvm_getrbuf(), NULL, &tag, NULL);
        printf("received %d with tag %d\n", value, tag);
    }
}

CONF_MAIN(run, {"child", child})
