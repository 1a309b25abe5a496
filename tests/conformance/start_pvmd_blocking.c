/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-19
 * needs: no-vm
 * stderr: ignored
 * pvm_start_pvmd with block waits until the hostfile is done and then works as usual.
 */
#include "conf.h"

static void child(void)
{
    conf_signal(pvm_parent(), 1);
}

static void run(void)
{
    char *arguments[] = {"-nlocalhost"};
    signal(SIGTERM, SIG_IGN);
    CODE(pvm_start_pvmd(1, arguments, 1));
    const int tid = conf_spawn("child");
    conf_take(tid, 1);
    conf_wait_gone(tid);
    CODE(pvm_halt());
}

CONF_MAIN(run, {"child", child})
