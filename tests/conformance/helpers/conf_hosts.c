/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Adds hosts of this machine to the virtual machine and prints how many there are then.
 * Argument: how many to add.  Used by machine.py; no test of its own.
 */
#include <stdio.h>
#include <stdlib.h>

#include <pvm3.h>

int main(int argc, char **argv)
{
    char *name = "local";
    const int count = argc > 1 ? atoi(argv[1]) : 0;
    int added = 0, hosts = 0;
    for (int i = 0; i < count; i++) {
        int info = 0;
        added += pvm_addhosts(&name, 1, &info) == 1;
        if (info < 0)
            fprintf(stderr, "host %d: %d\n", i, info);
    }
    struct pvmhostinfo *table;
    pvm_config(&hosts, NULL, &table);
    for (int i = 0; i < hosts; i++)
        printf("%s\n", table[i].hi_name);
    pvm_exit();
    return added == count ? 0 : 1;
}
