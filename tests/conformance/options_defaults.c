/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-61
 * Every option's value in a process started by hand.
 */
#include "conf.h"

static void run(void)
{
    static const int silent[] = {PvmPollType, PvmPollTime};
    pvm_mytid();
    pvm_setopt(PvmAutoErr, 1);
    for (int what = 1; what <= PvmNoReset; what++) {
        if (what == silent[0] || what == silent[1])
            continue;
        printf("option %d: %s\n", what, conf_name(pvm_getopt(what)));
    }
    CODE(pvm_getopt(0));
    CODE(pvm_getopt(-1));
    CODE(pvm_getopt(26));
    CODE(pvm_getopt(PvmPollType));
    CODE(pvm_getopt(PvmPollTime));
}

CONF_MAIN(run)
