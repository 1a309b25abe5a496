/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-51 API-53 API-50 D15
 * stderr: ignored
 * A receive from a task that has ended gives its messages first and then PvmNoTask.
 */
#include "conf.h"

static void child(void)
{
    for (int i = 1; i <= 3; i++)
        conf_send_int(pvm_parent(), i, i * 10);
}

static void run(void)
{
    struct timeval limit = {10, 0};
    int value = 0;
    const int tid = conf_spawn("child");
    conf_wait_gone(tid);
    NUM(conf_take_int(tid, 2));
    CODE(pvm_recv(tid, 4));
    NUM(conf_take_int(tid, -1));
    NUM(conf_take_int(-1, 3));
    CODE(pvm_recv(tid, 1));
    CODE(pvm_recv(tid, -1));
    CODE(pvm_trecv(tid, -1, &limit));
    CODE(pvm_precv(tid, 1, &value, 1, PVM_INT, NULL, NULL, NULL));
    CODE(pvm_pstat(tid));
}

CONF_MAIN(run, {"child", child})
