/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-64 D15
 * needs: own-vm
 * stderr: ignored
 * Who waits for an entry does not wait on when the machine stops.
 */
#include "conf_mbox.h"

/* A task of its own, not started by the daemon, which would kill it. */
static void wait_in_vain(void)
{
    signal(SIGTERM, SIG_IGN);
    pvm_setopt(PvmAutoErr, 0);
    box_put("ready", 1, 0);
    _exit(box_get("never", 0, PvmMboxWaitForInfo) == PvmSysErr ? 7 : 8);
}

static void run(void)
{
    int status = 0;
    const pid_t child = fork();
    if (child == 0)
        wait_in_vain();
    signal(SIGTERM, SIG_IGN);
    pvm_setopt(PvmAutoErr, 0);
    NUM(box_get("ready", 0, PvmMboxWaitForInfo));
    CODE(box_get("never", 0, 0));
    pvm_halt();
    waitpid(child, &status, 0);
    YES(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

CONF_MAIN(run)
