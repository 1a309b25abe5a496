/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-31 DMN-10
 * A child that prints much without anybody collecting is not held up.
 */
#include "conf.h"

static void child(void)
{
    for (int i = 0; i < 3000; i++)
        printf("a line nobody collects, number %d\n", i);
    fflush(stdout);
    conf_signal(pvm_parent(), 1);
}

static void run(void)
{
    const int tid = conf_spawn("child");
    conf_take(tid, 1);
    conf_wait_gone(tid);
}

CONF_MAIN(run, {"child", child})
