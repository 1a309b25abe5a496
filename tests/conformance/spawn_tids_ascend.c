/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-3 API-26
 * hosts: its output tells their number
 * Tids of later tasks are higher; a tid is not used again by the next tasks.
 */
#include "conf.h"

static void child(void)
{
}

static void run(void)
{
    int last = pvm_mytid(), ascending = 1;
    for (int i = 0; i < 20; i++) {
        const int tid = conf_spawn("child");
        ascending &= tid > last;
        last = tid;
        conf_wait_gone(tid);
    }
    YES(ascending);
}

CONF_MAIN(run, {"child", child})
