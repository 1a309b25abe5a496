/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-34
 * A task can signal itself and its like through the daemon.
 */
#include "conf.h"

static volatile sig_atomic_t seen;

static void count(int number)
{
    (void)number;
    seen++;
}

static void run(void)
{
    signal(SIGUSR1, count);
    CODE(pvm_sendsig(pvm_mytid(), SIGUSR1));
    const double limit_s = conf_now_s() + CONF_RECEIVE_LIMIT_S;
    while (!seen && conf_now_s() < limit_s)
        conf_pause_ms(2);
    NUM(seen);
    CODE(pvm_sendsig(pvm_mytid(), 0));
    CODE(pvm_pstat(pvm_mytid()));
}

CONF_MAIN(run)
