/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-4 D14
 * After fork the child is not enrolled: it gets a tid of its own and the parent is not disturbed.
 */
#include "conf.h"

static void run(void)
{
    int channel[2], tid = 0, status = -1;
    const int me = pvm_mytid();
    if (pipe(channel) != 0)
        conf_fail("pipe");
    conf_send_int(me, 1, 11);
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        const int own = pvm_mytid();
        if (write(channel[1], &own, sizeof own) < 0)
            _exit(1);
        conf_send_int(me, 2, conf_take_int(me, 3) + 1);
        pvm_exit();
        _exit(0);
    }
    if (read(channel[0], &tid, sizeof tid) < 0)
        conf_fail("read");
    YES(tid > me);
    YES(pvm_mytid() == me);
    conf_send_int(tid, 3, 41);
    NUM(conf_take_int(tid, 2));
    NUM(conf_take_int(me, 1));
    waitpid(pid, &status, 0);
    NUM(status);
    CODE(pvm_pstat(tid));
    CODE(pvm_pstat(me));
}

CONF_MAIN(run)
