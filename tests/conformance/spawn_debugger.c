/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-32
 * PvmTaskDebug runs the program named in PVM_DEBUGGER with the task's path and arguments.
 */
#include "conf.h"

static void run(void)
{
    if (conf_argc == 4) {
        const char *slash = strrchr(conf_argv[1], '/');
        static char text[4096];
        snprintf(text, sizeof text, "%s %s %s", slash ? slash + 1 : conf_argv[1], conf_argv[2],
                 conf_argv[3]);
        conf_send_text(pvm_parent(), 1, text);
        pvm_exit();
        exit(0);
    }
    static char path[4096];
    char *arguments[] = {"one", "two", NULL};
    int tid = 0;
    if (readlink("/proc/self/exe", path, sizeof path - 1) <= 0)
        conf_fail("own path");
    setenv("PVM_DEBUGGER", path, 1);
    pvm_export("PVM_DEBUGGER");
    CODE(pvm_spawn("conf_ping", arguments, PvmTaskDebug, NULL, 1, &tid));
    puts(conf_take_text(tid, 1));
}

CONF_MAIN(run)
