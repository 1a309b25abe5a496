/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A job that must go on whatever is killed round it: two workers on every host echo numbered
 * messages, those that die are replaced, hosts that come get workers, hosts that go are forgotten.
 *
 *   chaos STATUS-FILE
 *
 * A round is over when each worker has echoed or is known to be gone. After each round it writes
 * "rounds hosts workers echoes" to STATUS-FILE, by renaming, and ends when that file's folder is
 * gone or on SIGTERM. A round that takes more than a minute, or an echo that is not what is due,
 * ends it with words and status 1.
 */
#include <pvm3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

enum { TAG_PING = 1, TAG_ECHO, TAG_END, TAG_PARENT_END };
enum { HOSTS_MAX = 64, WORKERS_MAX = 256, PER_HOST = 2, BYTES_MAX = 20000, ROUND_LIMIT_S = 60 };

struct worker {
    int tid, host, waiting;
};

static struct worker workers[WORKERS_MAX];
static int worker_count, host_count;
static long rounds, echoes;

static int message_bytes(int round)
{
    return 1 + round * 797 % BYTES_MAX;
}

static int worker_main(int master)
{
    static char bytes[BYTES_MAX + 1];
    int round;
    pvm_notify(PvmTaskExit, TAG_PARENT_END, 1, &master);
    for (;;) {
        int length, tag, from;
        if (pvm_recv(-1, -1) < 0)
            break;
        pvm_bufinfo(pvm_getrbuf(), &length, &tag, &from);
        if (tag == TAG_PARENT_END)
            break;
        pvm_upkint(&round, 1, 1);
        pvm_upkbyte(bytes, message_bytes(round), 1);
        pvm_initsend(PvmDataDefault);
        pvm_pkint(&round, 1, 1);
        pvm_pkbyte(bytes, message_bytes(round), 1);
        pvm_send(master, TAG_ECHO);
    }
    pvm_exit();
    return 0;
}

static int workers_of(int host)
{
    int count = 0;
    for (int i = 0; i < worker_count; i++)
        count += workers[i].host == host;
    return count;
}

/* Starts what is missing on every host of the table. */
static void replace_workers(void)
{
    struct pvmhostinfo *hosts;
    char names[HOSTS_MAX][64];
    int tids[HOSTS_MAX];
    if (pvm_config(&host_count, NULL, &hosts) < 0)
        exit(1);
    for (int i = 0; i < host_count; i++) {
        snprintf(names[i], sizeof(names[i]), "%s", hosts[i].hi_name);
        tids[i] = hosts[i].hi_tid;
    }
    for (int i = 0; i < host_count; i++) {
        int started[PER_HOST];
        int missing = PER_HOST - workers_of(tids[i]);
        int count = 0;
        if (missing > 0)
            count = pvm_spawn("chaos", NULL, PvmTaskHost, names[i], missing, started);
        for (int k = 0; k < count && worker_count < WORKERS_MAX; k++) {
            workers[worker_count++] = (struct worker){started[k], tids[i], 0};
            pvm_notify(PvmTaskExit, TAG_END, 1, &started[k]);
        }
    }
}

static void ping_all(int round)
{
    static char bytes[BYTES_MAX + 1];
    memset(bytes, 'a' + round % 26, sizeof(bytes));
    for (int i = 0; i < worker_count; i++) {
        pvm_initsend(PvmDataDefault);
        pvm_pkint(&round, 1, 1);
        pvm_pkbyte(bytes, message_bytes(round), 1);
        pvm_send(workers[i].tid, TAG_PING);
        workers[i].waiting = 1;
    }
}

static int waiting(void)
{
    int count = 0;
    for (int i = 0; i < worker_count; i++)
        count += workers[i].waiting;
    return count;
}

static struct worker *worker_of(int tid)
{
    for (int i = 0; i < worker_count; i++)
        if (workers[i].tid == tid)
            return &workers[i];
    return NULL;
}

/* 0; -1 when the echo is not the one that is due. */
static int take_echo(int from, int bytes, int round)
{
    static char copy[BYTES_MAX + 1];
    int got, length = message_bytes(round);
    struct worker *worker = worker_of(from);
    pvm_upkint(&got, 1, 1);
    if (!worker || !worker->waiting || got != round || bytes != 4 + (length + 3) / 4 * 4) {
        printf("echo %d of %d bytes from t%x in round %d\n", got, bytes, from, round);
        return -1;
    }
    pvm_upkbyte(copy, length, 1);
    for (int i = 0; i < length; i++) {
        if (copy[i] != 'a' + round % 26) {
            printf("changed byte %d in round %d from t%x\n", i, round, from);
            return -1;
        }
    }
    worker->waiting = 0;
    echoes++;
    return 0;
}

static void take_end(void)
{
    int tid;
    pvm_upkint(&tid, 1, 1);
    struct worker *worker = worker_of(tid);
    if (worker)
        *worker = workers[--worker_count];
}

static int one_round(int round)
{
    time_t limit = time(NULL) + ROUND_LIMIT_S;
    replace_workers();
    ping_all(round);
    while (waiting() > 0) {
        struct timeval second = {1, 0};
        int bytes, tag, from;
        int got = pvm_trecv(-1, -1, &second);
        if (got < 0 || time(NULL) > limit) {
            printf("round %d: %s, %d workers did not answer\n", round, got < 0 ? "error" : "stuck",
                   waiting());
            return -1;
        }
        if (got == 0)
            continue;
        pvm_bufinfo(pvm_getrbuf(), &bytes, &tag, &from);
        if (tag == TAG_END)
            take_end();
        else if (tag == TAG_ECHO && take_echo(from, bytes, round) < 0)
            return -1;
    }
    rounds++;
    return 0;
}

/* 0; -1 when the file cannot be written: the test is over. */
static int write_status(const char *name)
{
    char other[512];
    snprintf(other, sizeof(other), "%s.new", name);
    FILE *file = fopen(other, "w");
    if (!file)
        return -1;
    fprintf(file, "%ld %d %d %ld\n", rounds, host_count, worker_count, echoes);
    return fclose(file) == 0 ? rename(other, name) : -1;
}

int main(int argc, char **argv)
{
    if (pvm_mytid() < 0)
        return 1;
    if (pvm_parent() > 0)
        return worker_main(pvm_parent());
    if (argc != 2)
        return 2;
    for (int round = 0; one_round(round) == 0; round++) {
        struct timespec pause = {0, 20000000};
        if (write_status(argv[1]) < 0) {
            pvm_exit();
            return 0;
        }
        nanosleep(&pause, NULL);
    }
    return 1;
}
