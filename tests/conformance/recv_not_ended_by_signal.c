/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: CONV-8
 * A handled signal does not end a blocking or timed receive.
 */
#include "conf.h"

static volatile sig_atomic_t seen;

static void count(int number)
{
    (void)number;
    seen++;
}

static void child(void)
{
    const int parent_pid = conf_take_int(pvm_parent(), 1);
    for (int i = 0; i < 3; i++) {
        kill(parent_pid, SIGUSR1);
        conf_pause_ms(60);
    }
    conf_send_int(pvm_parent(), 2, 22);
    conf_take(pvm_parent(), 3);
    kill(parent_pid, SIGUSR1);
}

static void run(void)
{
    struct sigaction action = {.sa_handler = count};
    struct timeval limit = {0, 400000};
    sigaction(SIGUSR1, &action, NULL);
    const int tid = conf_spawn("child");
    conf_send_int(tid, 1, getpid());
    MID(pvm_recv(tid, 2));
    YES(seen == 3);
    conf_signal(tid, 3);
    const double begin_s = conf_now_s();
    MID(pvm_trecv(-1, 4, &limit));
    YES(conf_now_s() - begin_s >= 0.395);
    YES(seen == 4);
}

CONF_MAIN(run, {"child", child})
