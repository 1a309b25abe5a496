/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-16
 * needs: own-vm
 * stderr: ignored
 * A caller of pvm_halt that does not handle SIGTERM is ended by it.
 */
#include "conf.h"

static void run(void)
{
    int status = 0;
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        pvm_mytid();
        pvm_halt();
        conf_pause_ms(3000);
        _exit(7);
    }
    waitpid(pid, &status, 0);
    printf("%s %d\n", WIFSIGNALED(status) ? "signal" : "exit",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

CONF_MAIN(run)
