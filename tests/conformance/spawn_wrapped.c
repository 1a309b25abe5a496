/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-1
 * A task started through a shell script is recognised by its cookie and keeps the spawned tid.
 */
#include "conf.h"

static void run(void)
{
    char *arguments[] = {NULL};
    char script[PATH_MAX];
    static char path[4096], text[8192];
    int tid = 0;
    if (pvm_parent() > 0) {
        conf_send_int(pvm_parent(), 1, pvm_mytid());
        pvm_exit();
        exit(0);
    }
    if (readlink("/proc/self/exe", path, sizeof path - 1) <= 0)
        conf_fail("own path");
    const int file = conf_temporary(script);
    const int length = snprintf(text, sizeof text, "#!/bin/sh\n%s\nexit 0\n", path);
    if (write(file, text, length) != length)
        conf_fail("write");
    fchmod(file, 0755);
    close(file);
    CODE(pvm_spawn(script, arguments, 0, NULL, 1, &tid));
    YES(conf_take_int(-1, 1) == tid);
    conf_wait_gone(tid);
    unlink(script);
}

CONF_MAIN(run)
