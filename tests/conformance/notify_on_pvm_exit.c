/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: NTF-2
 * A spawned task that left the machine is reported only when its process ends.
 */
#include "conf.h"

static void child(void)
{
    const int parent = pvm_parent();
    conf_take(parent, 1);
    pvm_exit();
    const double limit_s = conf_now_s() + CONF_RECEIVE_LIMIT_S;
    while (access(conf_argv[2], F_OK) != 0 && conf_now_s() < limit_s)
        conf_pause_ms(2);
    exit(0);
}

static void run(void)
{
    char mark[PATH_MAX];
    close(conf_temporary(mark));
    unlink(mark);
    char *arguments[] = {"child", mark, NULL};
    int tid = 0;
    pvm_spawn(conf_program, arguments, PvmTaskDefault, NULL, 1, &tid);
    CODE(pvm_notify(PvmTaskExit, 50, 1, &tid));
    conf_signal(tid, 1);
    MID(conf_take_within(-1, 50, 0.3));
    CODE(pvm_pstat(tid));
    close(open(mark, O_CREAT | O_WRONLY, 0600));
    YES(pvm_getrbuf() > 0 || conf_take_int(-1, 50) == tid);
    unlink(mark);
}

CONF_MAIN(run, {"child", child})
