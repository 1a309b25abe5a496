/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-31
 * The child is in the daemon's session  and no signal is blocked.
 */
#include "conf.h"

static void child(void)
{
    char text[256];
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    int blocked = 0;
    for (int number = 1; number < 32; number++)
        blocked += sigismember(&mask, number) == 1;
    snprintf(text, sizeof text, "own session %s, %d signals blocked",
             getsid(0) == getpid() ? "yes" : "no", blocked);
    conf_send_text(pvm_parent(), 1, text);
}

static void run(void)
{
    puts(conf_take_text(conf_spawn("child"), 1));
}

CONF_MAIN(run, {"child", child})
