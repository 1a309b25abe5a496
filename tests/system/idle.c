/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A task that waits in a receive until it is told to end. Started by hand with a count it spawns so
 * many of itself, waits until each has said that it waits, prints `waiting`, and ends them when its
 * stdin ends.
 *
 *   idle COUNT
 */
#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TAG_HERE = 1, TAG_END = 2, COUNT_MAX = 4096 };

static int fail(const char *what, int value)
{
    printf("failed: %s (%d)\n", what, value);
    pvm_exit();
    return 1;
}

static int wait_for_end(int parent)
{
    pvm_initsend(PvmDataDefault);
    pvm_send(parent, TAG_HERE);
    pvm_recv(parent, TAG_END);
    pvm_exit();
    return 0;
}

int main(int argc, char **argv)
{
    static int tids[COUNT_MAX];
    char path[4096], line[16];
    const int parent = pvm_parent();
    if (parent > 0)
        return wait_for_end(parent);
    const int count = argc > 1 ? atoi(argv[1]) : 0;
    const ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (count < 1 || count > COUNT_MAX || length < 0)
        return 2;
    path[length] = '\0';
    const int started = pvm_spawn(path, NULL, PvmTaskDefault, "", count, tids);
    if (started != count)
        return fail("not all started, first result", tids[started < 0 ? 0 : started]);
    for (int i = 0; i < count; i++)
        if (pvm_recv(-1, TAG_HERE) < 0)
            return fail("not all said that they are there", i);
    printf("waiting\n");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin))
        continue;
    pvm_initsend(PvmDataDefault);
    pvm_mcast(tids, count, TAG_END);
    pvm_exit();
    return 0;
}
