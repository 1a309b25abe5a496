/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Starts tasks: place [-d] HOST COUNT FILE [ARGUMENTS].  HOST "-" leaves the choice to the machine.
 * Their output comes on stdout and place waits for them; with -d it leaves at once.
 * Used by run.py; no test of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pvm3.h>

enum { TASKS_MAX = 64 };

int main(int argc, char **argv)
{
    const int detached = argc > 1 && strcmp(argv[1], "-d") == 0;
    char **words = argv + 1 + detached;
    int tids[TASKS_MAX];
    if (argc - detached < 4)
        return 2;
    const int count = atoi(words[1]), anywhere = strcmp(words[0], "-") == 0;
    if (count < 1 || count > TASKS_MAX)
        return 2;
    if (!detached) {
        pvm_setopt(PvmShowTids, 0);
        pvm_catchout(stdout);
    }
    const int started = pvm_spawn(words[2], words + 3, anywhere ? PvmTaskDefault : PvmTaskHost,
                                  anywhere ? NULL : words[0], count, tids);
    if (started != count)
        fprintf(stderr, "place: started %d of %d: %d\n", started, count,
                started < 0 ? started : tids[started]);
    pvm_exit();
    return started == count ? 0 : 1;
}
