/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-10
 * Errors of addhosts that need no second host.
 */
#include "conf.h"

static void run(void)
{
    char *names[] = {"no-such-host.invalid"};
    char *empty[] = {""};
    char *bad[] = {"no-such-host.invalid xx=1"};
    int info = 5;
    CODE(pvm_addhosts(names, 0, &info));
    CODE(pvm_addhosts(names, -1, &info));
    CODE(pvm_addhosts(names, 4096, &info));
    NUM(info);
    CODE(pvm_addhosts(empty, 1, &info));
    printf("%s\n", conf_name(info));
    CODE(pvm_addhosts(bad, 1, &info));
    printf("%s\n", conf_name(info));
}

CONF_MAIN(run)
