/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-16 DMN-14
 * needs: own-vm
 * stderr: ignored
 * After halt no task is left, not even one that ignores SIGTERM.
 */
#include "conf.h"

static void child(void)
{
    signal(SIGTERM, SIG_IGN);
    conf_send_int(pvm_parent(), 1, getpid());
    const double limit_s = conf_now_s() + CONF_RECEIVE_LIMIT_S;
    while (conf_now_s() < limit_s)
        conf_pause_ms(20);
    _exit(0);
}

static void run(void)
{
    signal(SIGTERM, SIG_IGN);
    const pid_t pid = conf_take_int(conf_spawn("child"), 1);
    CODE(pvm_halt());
    const double limit_s = conf_now_s() + 10;
    while (kill(pid, 0) == 0 && conf_now_s() < limit_s)
        conf_pause_ms(10);
    YES(kill(pid, 0) != 0);
}

CONF_MAIN(run, {"child", child})
