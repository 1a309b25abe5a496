/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: CONV-6
 * Which calls join the machine by themselves, seen by the socket they open. (In the
 * original buffer and pack calls join too, a side effect of its tracing; no program can need it.)
 */
#include "conf.h"

static int joined(void)
{
    int sockets = 0;
    for (int fd = 3; fd < 256; fd++) {
        struct stat status;
        sockets += fstat(fd, &status) == 0 && !S_ISFIFO(status.st_mode) && !S_ISREG(status.st_mode);
    }
    return sockets > 0;
}

#define SHOW(expression)                                                                           \
    do {                                                                                           \
        fflush(stdout);                                                                            \
        const pid_t pid = fork();                                                                  \
        if (pid == 0) {                                                                            \
            (void)!freopen("/dev/null", "w", stderr);                                              \
            (void)(expression);                                                                    \
            const int now = joined();                                                              \
            pvm_exit();                                                                            \
            _exit(now);                                                                            \
        }                                                                                          \
        int status = -1;                                                                           \
        waitpid(pid, &status, 0);                                                                  \
        printf("%s: %s\n", #expression, WEXITSTATUS(status) ? "joins" : "does not join");          \
    } while (0)

static void run(void)
{
    SHOW(pvm_mytid());
    SHOW(pvm_exit());
    SHOW(pvm_parent());
    SHOW(pvm_tidtohost(1));
    SHOW(pvm_version());
    SHOW(pvm_perror("x"));
    SHOW(pvm_strerror());
    SHOW(pvm_getopt(PvmRoute));
    SHOW(pvm_setopt(PvmRoute, 1));
    SHOW(pvm_pkmesg(1));
    SHOW(pvm_export("X"));
    SHOW(pvm_send(1, 1));
    SHOW(pvm_nrecv(-1, -1));
    SHOW(pvm_probe(-1, -1));
    SHOW(pvm_config(NULL, NULL, NULL));
    SHOW(pvm_notify(99, 1, 1, NULL));
    SHOW(pvm_spawn("x", NULL, 0, NULL, 0, NULL));
}

CONF_MAIN(run)
