/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-51 D15
 * stderr: ignored
 * A blocked receive from a task ends with PvmNoTask when that task ends, however it does.
 */
#include "conf.h"

static void child(void)
{
    conf_take(pvm_parent(), 1);
    if (conf_argv[2][0] == 'k')
        raise(SIGKILL);
    if (conf_argv[2][0] == 'e')
        _exit(1);
}

static void run(void)
{
    static char *ways[] = {"leave", "exit", "kill"};
    for (int i = 0; i < 3; i++) {
        char *arguments[] = {"child", ways[i], NULL};
        int tid = 0;
        pvm_spawn(conf_program, arguments, 0, NULL, 1, &tid);
        conf_signal(tid, 1);
        CODE(pvm_recv(tid, 5));
    }
}

CONF_MAIN(run, {"child", child})
