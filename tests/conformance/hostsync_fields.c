/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-17
 * The clock of the own host: no difference, microseconds in range; NULLs; unknown hosts.
 */
#include "conf.h"

static void run(void)
{
    struct timeval clock_then = {-1, -1}, delta = {-1, -1}, now;
    const int host = pvm_tidtohost(pvm_mytid());
    CODE(pvm_hostsync(host, &clock_then, &delta));
    gettimeofday(&now, NULL);
    YES(labs(now.tv_sec - clock_then.tv_sec) <= 1);
    YES(delta.tv_usec >= 0 && delta.tv_usec < 1000000);
    YES(clock_then.tv_usec >= 0 && clock_then.tv_usec < 1000000);
    YES(labs((delta.tv_sec * 1000000) + delta.tv_usec) < 100000);
    CODE(pvm_hostsync(host, NULL, NULL));
    CODE(pvm_hostsync(host, &clock_then, NULL));
    CODE(pvm_hostsync(host, NULL, &delta));
    CODE(pvm_hostsync(0x140000, &clock_then, &delta));
    CODE(pvm_hostsync(pvm_mytid(), &clock_then, &delta));
    CODE(pvm_hostsync(0, &clock_then, &delta));
    CODE(pvm_hostsync(-1, &clock_then, &delta));
}

CONF_MAIN(run)
