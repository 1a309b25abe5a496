/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Spawns copies of itself that enrol and answer, and prints how long that took in milliseconds,
 * from pvm_spawn() to the last answer. The same source and binary for the original and for this
 * project.
 *
 *   spawner COUNT
 */
#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TAG_ANSWER = 1, COUNT_MAX = 4096 };

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int answer(int parent)
{
    int tid = pvm_mytid();
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&tid, 1, 1);
    pvm_send(parent, TAG_ANSWER);
    pvm_exit();
    return 0;
}

int main(int argc, char **argv)
{
    static int tids[COUNT_MAX];
    char path[4096];
    if (pvm_mytid() < 0)
        return 1;
    if (pvm_parent() > 0)
        return answer(pvm_parent());
    const int count = argc > 1 ? atoi(argv[1]) : 1;
    const ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (count < 1 || count > COUNT_MAX || length < 0)
        return fputs("usage: spawner COUNT\n", stderr), 2;
    path[length] = '\0';
    const double start = now_ms();
    const int started = pvm_spawn(path, NULL, PvmTaskDefault, "", count, tids);
    if (started < count) {
        fprintf(stderr, "spawner: %d of %d started, first result %d\n", started, count,
                tids[started < 0 ? 0 : started]);
        pvm_exit();
        return 1;
    }
    for (int i = 0; i < count; i++)
        if (pvm_recv(-1, TAG_ANSWER) < 0)
            return fputs("spawner: an answer did not come\n", stderr), 1;
    printf("%.3f\n", now_ms() - start);
    pvm_exit();
    return 0;
}
