/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: NTF-2
 * A task started by hand is reported at its pvm_exit or its end.
 */
#include "conf.h"

static void outsider(int leave_first, int report, int go)
{
    char byte;
    const int tid = pvm_mytid();
    if (write(report, &tid, sizeof tid) < 0 || read(go, &byte, 1) < 0)
        _exit(1);
    if (leave_first)
        pvm_exit();
    if (leave_first && read(go, &byte, 1) < 0)
        _exit(1);
    _exit(0);
}

static void attempt(int leave_first)
{
    int report[2], go[2], tid = 0;
    if (pipe(report) != 0 || pipe(go) != 0)
        conf_fail("pipe");
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0)
        outsider(leave_first, report[1], go[0]);
    if (read(report[0], &tid, sizeof tid) < 0)
        conf_fail("read");
    CODE(pvm_notify(PvmTaskExit, 50, 1, &tid));
    if (write(go[1], "g", 1) < 0)
        conf_fail("write");
    YES(conf_take_int(-1, 50) == tid);
    CODE(pvm_pstat(tid));
    if (write(go[1], "g", 1) < 0)
        conf_fail("write");
    waitpid(pid, NULL, 0);
    pvm_exit();
}

static void run(void)
{
    attempt(1);
    attempt(0);
}

CONF_MAIN(run)
