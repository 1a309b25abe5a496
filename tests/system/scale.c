/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many tasks on many hosts that wait, and how long it takes until one hears of another's end.
 * Started by hand with a count it spawns so many of itself, spread over all hosts, says `waiting`,
 * and then does what its stdin says:
 *
 *   notify N   N times: a task asks to be told of the end of a task on another host, which is then
 *              told to leave; prints the microseconds from that to the notice at the asker
 *   host NAME TAG   asks on all hosts but that one to be told of its end; prints `asked COUNT`
 *   told       waits for all those notices; prints for each the microseconds since 1970 at which it
 *              came
 *
 * At the end of stdin it ends them all.
 */
#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    TAG_HERE = 1,
    TAG_END,
    TAG_WATCH,   /* tid: ask to be told of its end */
    TAG_WATCHES, /* it was asked */
    TAG_LEAVE,   /* end now; the moment of it goes to stdout's stead: TAG_LEFT */
    TAG_LEFT,
    TAG_NOTICE,
    TAG_TOLD,    /* seconds, microseconds */
    TAG_WATCH_HOST,
    COUNT_MAX = 8192
};

static int tids[COUNT_MAX], count, parent;

static double now_us(void)
{
    struct timeval now;
    gettimeofday(&now, NULL);
    return (double)now.tv_sec * 1e6 + (double)now.tv_usec;
}

static int send_double(int tid, int tag, double value)
{
    pvm_initsend(PvmDataDefault);
    pvm_pkdouble(&value, 1, 1);
    return pvm_send(tid, tag);
}

static int send_int(int tid, int tag, int value)
{
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&value, 1, 1);
    return pvm_send(tid, tag);
}

static double receive_double(int tid, int tag)
{
    double value = 0;
    if (pvm_recv(tid, tag) < 0)
        return 0;
    pvm_upkdouble(&value, 1, 1);
    return value;
}

/* ---- a task ---- */

static void watch(int kind)
{
    int tid, status;
    pvm_upkint(&tid, 1, 1);
    status = pvm_notify(kind, TAG_NOTICE, 1, &tid);
    send_int(parent, TAG_WATCHES, status);
}

static int task_main(void)
{
    send_int(parent, TAG_HERE, 0);
    pvm_notify(PvmTaskExit, TAG_END, 1, &parent);
    for (;;) {
        int bytes, tag, from;
        int buffer = pvm_recv(-1, -1);
        if (buffer < 0)
            break;
        pvm_bufinfo(buffer, &bytes, &tag, &from);
        if (tag == TAG_WATCH)
            watch(PvmTaskExit);
        else if (tag == TAG_WATCH_HOST)
            watch(PvmHostDelete);
        else if (tag == TAG_NOTICE)
            send_double(parent, TAG_TOLD, now_us());
        else if (tag == TAG_LEAVE)
            send_double(parent, TAG_LEFT, now_us());
        if (tag == TAG_LEAVE || tag == TAG_END)
            break;
    }
    pvm_exit();
    return 0;
}

/* ---- the one who asks ---- */

static void notify(int rounds)
{
    for (int i = 0; i < rounds && count > 1; i++) {
        int asker = rand() % count, victim = rand() % count, status = -1;
        for (int tries = 0; tries < 1000 && (asker == victim || pvm_tidtohost(tids[asker]) ==
                                                                    pvm_tidtohost(tids[victim]));
             tries++)
            victim = rand() % count;
        if (asker == victim)
            continue;
        send_int(tids[asker], TAG_WATCH, tids[victim]);
        if (pvm_recv(tids[asker], TAG_WATCHES) >= 0)
            pvm_upkint(&status, 1, 1);
        send_int(tids[victim], TAG_LEAVE, 0);
        double left = receive_double(tids[victim], TAG_LEFT);
        double told = receive_double(tids[asker], TAG_TOLD);
        printf("%d %.0f\n", status, told - left);
        tids[victim] = tids[--count];
    }
    printf("done\n");
}

/* One task of each host asks for the end of |victim|'s daemon. */
static int asked[COUNT_MAX], asked_count;

static int was_asked(int host)
{
    for (int i = 0; i < asked_count; i++)
        if (pvm_tidtohost(asked[i]) == host)
            return 1;
    return 0;
}

static void watch_host(const char *name)
{
    struct pvmhostinfo *hosts;
    int host_count, arch_count, victim = 0;
    if (pvm_config(&host_count, &arch_count, &hosts) < 0)
        return;
    for (int i = 0; i < host_count; i++)
        if (strcmp(hosts[i].hi_name, name) == 0)
            victim = hosts[i].hi_tid;
    asked_count = 0;
    for (int i = 0; i < count; i++) {
        const int host = pvm_tidtohost(tids[i]);
        if (host == victim || was_asked(host))
            continue;
        send_int(tids[i], TAG_WATCH_HOST, victim);
        if (pvm_recv(tids[i], TAG_WATCHES) >= 0)
            asked[asked_count++] = tids[i];
    }
    int kept = 0;
    for (int i = 0; i < count; i++)
        if (pvm_tidtohost(tids[i]) != victim)
            tids[kept++] = tids[i];
    count = kept;
    printf("asked %d\n", asked_count);
}

static void told(void)
{
    for (int i = 0; i < asked_count; i++)
        printf("%.0f\n", receive_double(asked[i], TAG_TOLD));
    printf("done\n");
}

static int spawn_all(const char *path)
{
    const int wanted = count;
    count = pvm_spawn((char *)path, NULL, PvmTaskDefault, (char *)"", wanted, tids);
    if (count != wanted) {
        printf("failed: %d of %d started, the first not with %d\n", count, wanted,
               tids[count < 0 ? 0 : count]);
        return -1;
    }
    for (int i = 0; i < count; i++)
        if (pvm_recv(-1, TAG_HERE) < 0)
            return -1;
    return 0;
}

int main(int argc, char **argv)
{
    char path[4096], line[512], name[256];
    int rounds;
    parent = pvm_parent();
    if (parent > 0)
        return task_main();
    count = argc > 1 ? atoi(argv[1]) : 0;
    const ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (count < 1 || count > COUNT_MAX || length < 0)
        return 2;
    path[length] = '\0';
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (spawn_all(path) < 0) {
        pvm_exit();
        return 1;
    }
    printf("waiting\n");
    while (fgets(line, sizeof(line), stdin)) {
        if (sscanf(line, "notify %d", &rounds) == 1)
            notify(rounds);
        else if (sscanf(line, "host %255s", name) == 1)
            watch_host(name);
        else if (strncmp(line, "told", 4) == 0)
            told();
    }
    pvm_exit();
    return 0;
}
