/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-26 NTF-2
 * A file with the execute bit that cannot be run: spawn succeeds, the task ends at once.
 */
#include "conf.h"

static void run(void)
{
    char path[PATH_MAX];
    const int file = conf_temporary(path);
    int tid = 0;
    if (write(file, "\177ELF no program", 15) != 15)
        conf_fail("write");
    fchmod(file, 0755);
    close(file);
    CODE(pvm_spawn(path, NULL, 0, NULL, 1, &tid));
    CODE(pvm_notify(PvmTaskExit, 5, 1, &tid));
    YES(conf_take_int(-1, 5) == tid);
    unlink(path);
}

CONF_MAIN(run)
