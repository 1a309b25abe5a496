/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-26 API-31
 * The child's arguments: its own path first, then what was given, blanks and empty ones kept.
 */
#include "conf.h"

static void child(void)
{
    pvm_initsend(PvmDataDefault);
    const char *slash = strrchr(conf_argv[0], '/');
    pvm_packf("%d%d%s", conf_argc, conf_argv[0][0] == '/', slash ? slash + 1 : conf_argv[0]);
    for (int i = 1; i < conf_argc; i++)
        pvm_pkstr(conf_argv[i]);
    pvm_send(pvm_parent(), 1);
}

static void run(void)
{
    char *arguments[] = {"child", "two words", "", "-x", "'quote'", "\xc3\xbc\n$HOME *", NULL};
    int tid = 0, count = 0, absolute = 0;
    char text[256];
    CODE(pvm_spawn(conf_program, arguments, 0, NULL, 1, &tid));
    conf_take(tid, 1);
    pvm_unpackf("%d%d%s", &count, &absolute, text);
    printf("%d arguments, %d, %s\n", count, absolute, text);
    for (int i = 1; i < count; i++) {
        pvm_upkstr(text);
        printf("[%s]\n", text);
    }
}

CONF_MAIN(run, {"child", child})
