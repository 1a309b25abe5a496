/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Adds hosts of this machine to the virtual machine and prints how many there are then.
 * Argument: how many to add.  Used by run.py; no test of its own.
 */
#include <stdio.h>
#include <stdlib.h>

#include <pvm3.h>

enum { HOSTS_MAX = 64 };

int main(int argc, char **argv)
{
    char *names[HOSTS_MAX];
    int infos[HOSTS_MAX], hosts = 0;
    const int count = argc > 1 ? atoi(argv[1]) : 0;
    if (count < 1 || count > HOSTS_MAX)
        return 2;
    for (int i = 0; i < count; i++)
        names[i] = "local";
    const int added = pvm_addhosts(names, count, infos);
    for (int i = 0; added < count && i < count; i++)
        fprintf(stderr, "host %d: %d\n", i, infos[i]);
    struct pvmhostinfo *table;
    pvm_config(&hosts, NULL, &table);
    for (int i = 0; i < hosts; i++)
        printf("%s\n", table[i].hi_name);
    pvm_exit();
    return added == count ? 0 : 1;
}
