/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long until hosts can be added and tasks started again?
 *
 *   again COUNT
 *
 * Enrols, prints "ready", waits for a line on standard input, then adds a host with one call of
 * pvm_addhosts() and starts COUNT tasks with one of pvm_spawn(), without trying twice, and prints
 * "ok ADD-SECONDS SPAWN-SECONDS" or what failed. Only PvmAlready, which PVM says while somebody
 * else adds hosts, is asked again.
 */
#include <pvm3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { COUNT_MAX = 64, TAG_HERE = 1, LIMIT_S = 20 };

static double now_s(void)
{
    struct timeval t;
    gettimeofday(&t, NULL);
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static int child(void)
{
    pvm_initsend(PvmDataDefault);
    pvm_send(pvm_parent(), TAG_HERE);
    pvm_exit();
    return 0;
}

static int start_all(int count)
{
    int tids[COUNT_MAX];
    int started = pvm_spawn("again", NULL, PvmTaskDefault, NULL, count, tids);
    if (started < count) {
        printf("%d of %d tasks started, code %d\n", started, count,
               started < 0 ? started : tids[started]);
        return -1;
    }
    for (int i = 0; i < count; i++)
        if (pvm_recv(tids[i], TAG_HERE) < 0)
            return -1;
    return 0;
}

int main(int argc, char **argv)
{
    char line[16], name[] = "local", *names[] = {name};
    int code = 0, count = argc > 1 ? atoi(argv[1]) : 1;
    pvm_setopt(PvmAutoErr, 0);
    if (pvm_mytid() < 0)
        return 1;
    if (pvm_parent() > 0)
        return child();
    if (count > COUNT_MAX)
        return 2;
    printf("ready\n");
    fflush(stdout);
    if (!fgets(line, sizeof(line), stdin))
        return 1;
    double begin = now_s();
    int added;
    while ((added = pvm_addhosts(names, 1, &code)) == PvmAlready && now_s() - begin < LIMIT_S)
        usleep(20000);
    if (added != 1) {
        printf("the host was not added: %d, code %d, after %.2f s\n", added, code, now_s() - begin);
        return 1;
    }
    double middle = now_s();
    if (start_all(count) < 0)
        return 1;
    printf("ok %.3f %.3f\n", middle - begin, now_s() - middle);
    pvm_exit();
    return 0;
}
