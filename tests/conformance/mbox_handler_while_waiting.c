/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-64 CONV-8 CONV-9
 * A message handler runs while a task waits for an entry.
 */
#include "conf_mbox.h"

static int answer(int mid)
{
    int value = -1;
    (void)mid;
    pvm_upkint(&value, 1, 1);
    conf_send_int(pvm_parent(), 5, value + 100);
    return 0;
}

static void waits(void)
{
    pvm_addmhf(-1, 4, -1, answer);
    conf_signal(pvm_parent(), 3);
    conf_send_int(pvm_parent(), 6, box_get("hdl", 0, PvmMboxWaitForInfo));
}

static void run(void)
{
    int tid = conf_spawn("waits");
    conf_take(tid, 3);
    for (int i = 0; i < 3; i++) {
        conf_send_int(tid, 4, i);
        NUM(conf_take_int(tid, 5));
    }
    CODE(box_put("hdl", 9, 0));
    NUM(conf_take_int(tid, 6));
}

CONF_MAIN(run, {"waits", waits})
