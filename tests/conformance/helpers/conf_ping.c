/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Asks the daemon whether it is well: enrols, waits until no other task is left, leaves.  With the
 * argument "maps" it prints the path of the PVM library it has mapped, and so does a spawned copy.
 * Used by machine.py between programs; no test of its own.
 */
#include "../conf.h"

static const char *library_path(void)
{
    static char line[4096];
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && fgets(line, sizeof line, maps)) {
        char *path = strchr(line, '/');
        if (!path || !strstr(path, "libpvm3.so"))
            continue;
        path[strcspn(path, "\n")] = 0;
        fclose(maps);
        return path;
    }
    return "none";
}

static int others(void)
{
    struct pvmtaskinfo *tasks;
    int count = 0, other = 0;
    if (pvm_tasks(0, &count, &tasks) != 0)
        return -1;
    for (int i = 0; i < count; i++)
        other += tasks[i].ti_tid != pvm_mytid();
    return other;
}

static void child(void)
{
    conf_send_text(pvm_parent(), 1, library_path());
}

static void run(void)
{
    if (pvm_mytid() < 0)
        exit(1);
    if (conf_argc > 1) {
        printf("task runs %s\n", library_path());
        const int tid = conf_spawn("child");
        printf("spawned task runs %s\n", conf_take_text(tid, 1));
    }
    const double limit_s = conf_now_s() + 3;
    while (others() > 0 && conf_now_s() < limit_s)
        conf_pause_ms(5);
    if (others() != 0)
        exit(2);
}

CONF_MAIN(run, {"child", child})
