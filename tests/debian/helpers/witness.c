/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Preloaded into every task: notes which PVM libraries the process has mapped (/proc/self/maps)
 * in a file of the directory PVM_TEST_WITNESS.  So even a task that lives for a millisecond leaves
 * a proof.  It changes nothing else.  Used by run.py; no test of its own.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void note_libraries(FILE *maps, FILE *note)
{
    char line[PATH_MAX + 256], last[PATH_MAX] = "";
    while (fgets(line, sizeof line, maps)) {
        char *path = strchr(line, '/');
        if (!path || !strstr(path, "pvm3.so"))
            continue;
        path[strcspn(path, "\n")] = 0;
        if (strcmp(path, last) != 0)
            fprintf(note, "%s\n", path);
        snprintf(last, sizeof last, "%.*s", PATH_MAX - 1, path);
    }
}

__attribute__((constructor)) static void witness(void)
{
    char program[PATH_MAX] = "", path[2 * PATH_MAX];
    const char *directory = getenv("PVM_TEST_WITNESS");
    if (!directory || readlink("/proc/self/exe", program, sizeof program - 1) <= 0)
        return;
    const char *slash = strrchr(program, '/');
    snprintf(path, sizeof path, "%s/%s.%d", directory, slash ? slash + 1 : program, (int)getpid());
    FILE *maps = fopen("/proc/self/maps", "r"), *note = fopen(path, "w");
    if (maps && note)
        note_libraries(maps, note);
    if (maps)
        fclose(maps);
    if (note)
        fclose(note);
}
