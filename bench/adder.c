/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Adds hosts of this machine to the virtual machine and prints how long pvm_addhosts() took, as
 * "ms VALUE"; they are removed again before it ends.
 *
 *   adder COUNT
 */
#include "timing.h"

#include <pvm3.h>
#include <string.h>

enum { COUNT_MAX = 1024, NAME_BYTES = 64 };

static int host_names(char *names[], int max)
{
    struct pvmhostinfo *hosts;
    int count, archs;
    if (pvm_config(&count, &archs, &hosts) < 0)
        return -1;
    for (int i = 1; i < count && i <= max; i++)
        names[i - 1] = strdup(hosts[i].hi_name);
    return count;
}

int main(int argc, char **argv)
{
    static char *names[COUNT_MAX];
    static char *local[COUNT_MAX];
    static int results[COUNT_MAX];
    const int count = argc > 1 ? atoi(argv[1]) : 1;
    if (count < 1 || count > COUNT_MAX || pvm_mytid() < 0)
        return fputs("usage: adder COUNT\n", stderr), 2;
    for (int i = 0; i < count; i++)
        local[i] = "local";
    const int64_t begin_ns = now_ns();
    const int added = pvm_addhosts(local, count, results);
    const int64_t end_ns = now_ns();
    const int present = host_names(names, COUNT_MAX);
    if (added != count || present != count + 1) {
        int failed = 0;
        while (failed < count - 1 && results[failed] > 0)
            failed++;
        fprintf(stderr, "adder: %d of %d added, first failure %d, %d hosts are there\n", added,
                count, results[failed], present);
        pvm_delhosts(names, present > 1 ? present - 1 : 0, results);
        return 1;
    }
    printf("ms %.3f\n", (double)(end_ns - begin_ns) / 1e6);
    pvm_delhosts(names, present - 1, results);
    pvm_exit();
    return 0;
}
