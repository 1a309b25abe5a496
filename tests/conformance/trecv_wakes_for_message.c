/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-53
 * A message that is already there or comes in time ends the wait at once; others do not.
 */
#include "conf.h"

static void child(void)
{
    conf_take(pvm_parent(), 1);
    conf_send_int(pvm_parent(), 5, 50);
    conf_send_int(pvm_parent(), 6, 60);
}

static void run(void)
{
    struct timeval limit = {10, 0}, none = {0, 0}, little = {0, 50000};
    int value = 0;
    const int tid = conf_spawn("child");
    conf_signal(tid, 1);
    const double begin_s = conf_now_s();
    MID(pvm_trecv(tid, 6, &limit));
    YES(conf_now_s() - begin_s < 5);
    CODE(pvm_upkint(&value, 1, 1));
    NUM(value);
    MID(pvm_trecv(-1, 7, &little));
    MID(pvm_getrbuf());
    MID(pvm_trecv(tid, 5, &none));
    pvm_upkint(&value, 1, 1);
    NUM(value);
}

CONF_MAIN(run, {"child", child})
