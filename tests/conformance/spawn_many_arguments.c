/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-26
 * Two hundred arguments and one of 20,000 characters arrive.
 */
#include "conf.h"

static void child(void)
{
    int length = 0;
    for (int i = 0; i < conf_argc; i++)
        length += i > 0 ? (int)strlen(conf_argv[i]) : 0;
    pvm_initsend(PvmDataDefault);
    pvm_packf("%d%d", conf_argc, length);
    pvm_send(pvm_parent(), 1);
}

static void run(void)
{
    static char *arguments[202], long_one[20001];
    int tid = 0, numbers[2] = {0};
    arguments[0] = "child";
    for (int i = 1; i < 200; i++)
        arguments[i] = "arg";
    memset(long_one, 'x', 20000);
    arguments[200] = long_one;
    CODE(pvm_spawn(conf_program, arguments, 0, NULL, 1, &tid));
    conf_take(tid, 1);
    pvm_upkint(numbers, 2, 1);
    printf("%d arguments, %d characters\n", numbers[0], numbers[1]);
}

CONF_MAIN(run, {"child", child})
