/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-16 DMN-14
 * needs: own-vm
 * stderr: ignored
 * pvm_halt returns 0 to a caller that survives SIGTERM; spawned tasks get SIGTERM.
 */
#include "conf.h"

static volatile sig_atomic_t terminated;

static void on_term(int number)
{
    (void)number;
    terminated = 1;
}

static void child(void)
{
    signal(SIGTERM, on_term);
    conf_signal(pvm_parent(), 1);
    const double limit_s = conf_now_s() + CONF_RECEIVE_LIMIT_S;
    while (!terminated && conf_now_s() < limit_s)
        conf_pause_ms(2);
    if (terminated)
        close(open(conf_argv[2], O_CREAT | O_WRONLY, 0600));
    _exit(0);
}

static void run(void)
{
    char mark[PATH_MAX];
    int tid = 0;
    close(conf_temporary(mark));
    unlink(mark);
    char *arguments[] = {"child", mark, NULL};
    signal(SIGTERM, on_term);
    CODE(pvm_spawn(conf_program, arguments, 0, NULL, 1, &tid));
    conf_take(tid, 1);
    CODE(pvm_halt());
    const double limit_s = conf_now_s() + CONF_RECEIVE_LIMIT_S;
    while (access(mark, F_OK) != 0 && conf_now_s() < limit_s)
        conf_pause_ms(2);
    YES(access(mark, F_OK) == 0);
    YES(terminated);
    unlink(mark);
}

CONF_MAIN(run, {"child", child})
