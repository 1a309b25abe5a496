/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: CONV-3
 * AutoErr 2 prints, leaves the machine and exits with the code; 3 prints and aborts.
 */
#include "conf.h"

static void attempt(int value, int bad_mid)
{
    fflush(stdout);
    conf_errors_begin();
    const pid_t pid = fork();
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        pvm_mytid();
        pvm_setopt(PvmAutoErr, value);
        pvm_freebuf(bad_mid);
        _exit(77);
    }
    int status = 0;
    static char text[4096];
    waitpid(pid, &status, 0);
    conf_errors_end_into(text, sizeof text);
    const char *after = strchr(text, ']');
    printf("AutoErr %d: %s %d, printed%s", value, WIFEXITED(status) ? "exit" : "signal",
           WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
           after ? after : " nothing\n");
}

static void run(void)
{
    attempt(2, -1);
    attempt(2, 4242);
    attempt(3, -1);
    attempt(1, -1);
}

CONF_MAIN(run)
