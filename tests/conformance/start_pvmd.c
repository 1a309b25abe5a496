/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-19
 * needs: no-vm
 * stderr: ignored
 * pvm_start_pvmd starts a machine and joins it; a second start is PvmDupHost; halt ends it.
 */
#include "conf.h"

static void run(void)
{
    char *arguments[] = {"-nlocalhost"};
    signal(SIGTERM, SIG_IGN);
    CODE(pvm_start_pvmd(1, arguments, 0));
    YES(pvm_mytid() > 0);
    int hosts = 0;
    CODE(pvm_config(&hosts, NULL, NULL));
    NUM(hosts);
    CODE(pvm_start_pvmd(1, arguments, 0));
    CODE(pvm_halt());
}

CONF_MAIN(run)
