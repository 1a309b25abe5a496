/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-34
 * Signals reach spawned tasks by number; unknown tasks are no error.
 */
#include "conf.h"

static volatile sig_atomic_t seen[64];

static void count(int number)
{
    seen[number]++;
}

static void child(void)
{
    signal(SIGUSR1, count);
    signal(SIGUSR2, count);
    signal(SIGTERM, count);
    conf_signal(pvm_parent(), 1);
    const double limit_s = conf_now_s() + CONF_RECEIVE_LIMIT_S;
    while (!(seen[SIGUSR1] && seen[SIGUSR2] && seen[SIGTERM]) && conf_now_s() < limit_s)
        conf_pause_ms(2);
    pvm_initsend(PvmDataDefault);
    pvm_packf("%d%d%d", (int)seen[SIGUSR1], (int)seen[SIGUSR2], (int)seen[SIGTERM]);
    pvm_send(pvm_parent(), 2);
}

static void run(void)
{
    int counts[3] = {0};
    const int tid = conf_spawn("child");
    conf_take(tid, 1);
    CODE(pvm_sendsig(tid, SIGUSR1));
    CODE(pvm_sendsig(tid, SIGUSR2));
    CODE(pvm_kill(tid));
    conf_take(tid, 2);
    pvm_upkint(counts, 3, 1);
    printf("%d %d %d\n", counts[0], counts[1], counts[2]);
    conf_wait_gone(tid);
    CODE(pvm_sendsig(tid, SIGUSR1));
    CODE(pvm_sendsig(0x140001, SIGUSR1));
    CODE(pvm_sendsig(0, SIGUSR1));
    CODE(pvm_sendsig(0x40000, SIGUSR1));
    CODE(pvm_sendsig(-1, SIGUSR1));
}

CONF_MAIN(run, {"child", child})
