/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-31
 * The child is in the daemon's session ; which signals it ignores or blocks.
 */
#include "conf.h"

static void child(void)
{
    char text[256];
    struct sigaction action;
    sigset_t mask;
    snprintf(text, sizeof text, "own session %s, ignored:", getsid(0) == getpid() ? "yes" : "no");
    for (int number = 1; number < 32; number++)
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            snprintf(text + strlen(text), sizeof text - strlen(text), " %d", number);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    int blocked = 0;
    for (int number = 1; number < 32; number++)
        blocked += sigismember(&mask, number) == 1;
    snprintf(text + strlen(text), sizeof text - strlen(text), ", %d blocked", blocked);
    conf_send_text(pvm_parent(), 1, text);
}

static void run(void)
{
    puts(conf_take_text(conf_spawn("child"), 1));
}

CONF_MAIN(run, {"child", child})
