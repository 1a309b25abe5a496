/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-2 API-3 API-5
 * A process that leaves and joins again gets a new, higher tid and has no parent.
 */
#include "conf.h"

static void child(void)
{
    const int parent = pvm_parent(), first = pvm_mytid();
    pvm_exit();
    const int second = pvm_mytid();
    conf_send_int(parent, 1, second > first);
    conf_send_int(parent, 2, pvm_parent());
}

static void run(void)
{
    const int first = pvm_mytid();
    CODE(pvm_exit());
    const int second = pvm_mytid();
    YES(second > first);
    CODE(pvm_pstat(first));
    CODE(pvm_pstat(second));
    CODE(pvm_parent());
    conf_spawn("child");
    NUM(conf_take_int(-1, 1));
    printf("parent then: %s\n", conf_name(conf_take_int(-1, 2)));
}

CONF_MAIN(run, {"child", child})
