/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-58
 * Inside a handler every call works. In the original those that need the daemon fail with
 * PvmNotImpl, and a receive frees buffers under the program. Other handlers wait meanwhile.
 */
#include "conf.h"

static int child_tid, second_calls;

static int second(int mid)
{
    (void)mid;
    second_calls++;
    return 0;
}

static int first(int mid)
{
    int hosts = 0, value = 0;
    pvm_upkint(&value, 1, 1);
    NUM(value);
    CODE(pvm_config(&hosts, NULL, NULL));
    YES(hosts > 0);
    CODE(pvm_pstat(child_tid));
    conf_send_int(child_tid, 1, 10);
    NUM(conf_take_int(child_tid, 2)); /* comes later than this message, and than one for second() */
    NUM(second_calls);
    CODE(pvm_bufinfo(mid, NULL, NULL, NULL)); /* freed by the receive, as any active buffer */
    return 0;
}

static void child(void)
{
    conf_take(pvm_parent(), 7);
    conf_send_int(pvm_parent(), 5, 1);
    conf_send_int(pvm_parent(), 3, 20);
    const int value = conf_take_int(pvm_parent(), 1);
    conf_send_int(pvm_parent(), 6, 30);
    conf_send_int(pvm_parent(), 2, value + 1);
    conf_send_int(pvm_parent(), 4, 40);
}

static void run(void)
{
    pvm_setopt(PvmAutoErr, 0);
    YES(pvm_addmhf(-1, 5, -1, first) > 0);
    YES(pvm_addmhf(-1, 6, -1, second) > 0);
    child_tid = conf_spawn("child");
    conf_signal(child_tid, 7);
    NUM(conf_take_int(child_tid, 4));
    NUM(second_calls);
    NUM(conf_take_int(child_tid, 3));
    MID(pvm_nrecv(-1, -1));
}

CONF_MAIN(run, {"child", child})
