/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-30
 * Absolute paths and paths with a slash are used as they are.
 */
#include "conf.h"

static void child(void)
{
    conf_signal(pvm_parent(), 1);
}

static void run(void)
{
    static char path[4096];
    char *role[] = {"child", NULL};
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    int tid = 0;
    if (length <= 0)
        conf_fail("own path");
    CODE(pvm_spawn(path, role, 0, NULL, 1, &tid));
    conf_take(tid, 1);
    if (symlink(path, "conf-link") != 0)
        conf_fail("link");
    CODE(pvm_spawn("./conf-link", role, 0, NULL, 1, &tid));
    conf_take(tid, 1);
    unlink("conf-link");
    CODE(pvm_spawn("conf-link", role, 0, NULL, 1, &tid));
    printf("%s\n", conf_name(tid));
}

CONF_MAIN(run, {"child", child})
