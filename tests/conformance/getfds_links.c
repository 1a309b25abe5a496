/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-24
 * One descriptor, a socket or the like, is in use after joining; readable when a message waits.
 */
#include "conf.h"

#include <poll.h>

static void child(void)
{
    conf_take(pvm_parent(), 1);
    conf_send_int(pvm_parent(), 2, 5);
    conf_take(pvm_parent(), 3);
}

static void run(void)
{
    int *fds = NULL;
    const int tid = conf_spawn("child");
    CODE(pvm_getfds(&fds));
    YES(fds && fcntl(fds[0], F_GETFD) >= 0);
    struct pollfd waiting = {fds[0], POLLIN, 0};
    NUM(poll(&waiting, 1, 0));
    conf_signal(tid, 1);
    NUM(poll(&waiting, 1, 5000));
    NUM(conf_take_int(tid, 2));
    NUM(poll(&waiting, 1, 0));
    conf_signal(tid, 3);
}

CONF_MAIN(run, {"child", child})
