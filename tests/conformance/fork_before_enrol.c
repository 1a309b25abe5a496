/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-4
 * A child forked before the first PVM call joins on its own with another tid and can be talked to.
 */
#include "conf.h"

static void run(void)
{
    int channel[2];
    if (pipe(channel) != 0)
        conf_fail("pipe");
    const pid_t pid = fork();
    if (pid == 0) {
        const int tid = pvm_mytid();
        if (write(channel[1], &tid, sizeof tid) < 0)
            _exit(1);
        int from;
        pvm_bufinfo(conf_take(-1, 1), NULL, NULL, &from);
        conf_send_int(from, 2, 22);
        pvm_exit();
        _exit(0);
    }
    int tid = 0, status = -1;
    if (read(channel[0], &tid, sizeof tid) < 0)
        conf_fail("read");
    YES(tid > 0 && tid != pvm_mytid());
    conf_signal(tid, 1);
    NUM(conf_take_int(tid, 2));
    waitpid(pid, &status, 0);
    NUM(status);
}

CONF_MAIN(run)
