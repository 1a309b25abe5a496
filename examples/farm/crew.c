/* SPDX-License-Identifier: BSD-3-Clause */
/* Workers on hosts: see the header. */
#include "crew.h"

#include <pvm3.h>

#include <stdio.h>
#include <string.h>
#include <sys/time.h>

static double now_s(void)
{
    struct timeval t;
    gettimeofday(&t, NULL);
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

/* ---- hosts ---- */

static struct crew_host *host_of(struct crew *crew, int tid)
{
    for (int i = 0; i < crew->host_count; i++)
        if (crew->hosts[i].tid == tid)
            return &crew->hosts[i];
    return NULL;
}

/* Takes up hosts that were not known so far. A host may go between pvm_config() and pvm_notify():
 * then the notice of its end is there at once. */
static int look_at_hosts(struct crew *crew)
{
    int count;
    struct pvmhostinfo *list;
    int status = pvm_config(&count, NULL, &list);
    for (int i = 0; status >= 0 && i < count && crew->host_count < HOSTS_MAX; i++) {
        if (host_of(crew, list[i].hi_tid))
            continue;
        struct crew_host *host = &crew->hosts[crew->host_count++];
        *host = (struct crew_host){.tid = list[i].hi_tid};
        snprintf(host->name, sizeof(host->name), "%s", list[i].hi_name);
        pvm_notify(PvmHostDelete, TAG_HOST_END, 1, &host->tid);
    }
    return status;
}

/* How many of the workers belong on the host at |index|: the same number everywhere, and one more
 * on the first ones when it does not come out even. */
static int share_of(const struct crew *crew, int index)
{
    return crew->wanted / crew->host_count + (index < crew->wanted % crew->host_count);
}

/* ---- workers ---- */

static struct crew_worker *worker_of(struct crew *crew, int tid)
{
    for (int i = 0; i < crew->worker_count; i++)
        if (crew->workers[i].tid == tid)
            return &crew->workers[i];
    return NULL;
}

static void send_go(int tid)
{
    pvm_initsend(PvmDataDefault);
    pvm_send(tid, TAG_GO);
}

static void host_start(struct crew *crew, struct crew_host *host, int count)
{
    static int tids[WORKERS_MAX];
    char pause[16];
    char *arguments[] = {"-worker", pause, NULL};
    int room = WORKERS_MAX - crew->worker_count;
    snprintf(pause, sizeof(pause), "%d", crew->item_ms);
    count = count < room ? count : room;
    if (count < 1)
        return;
    int started = pvm_spawn("farm", arguments, PvmTaskHost, host->name, count, tids);
    if (started < count)
        host->retry_s = now_s() + 1;
    for (int i = 0; i < started; i++) {
        crew->workers[crew->worker_count++] =
            (struct crew_worker){.tid = tids[i], .host_tid = host->tid};
        host->workers++;
    }
    if (started > 0)
        pvm_notify(PvmTaskExit, TAG_TASK_END, started, tids);
}

/* Sends |count| workers of the host away, those with the least in hand first. */
static void host_retire(struct crew *crew, struct crew_host *host, int count)
{
    for (int in_hand = 0; in_hand <= IN_HAND_MAX; in_hand++) {
        for (int i = 0; i < crew->worker_count && count > 0; i++) {
            struct crew_worker *worker = &crew->workers[i];
            if (worker->host_tid != host->tid || worker->is_leaving ||
                worker->in_hand_count != in_hand)
                continue;
            worker->is_leaving = 1;
            host->workers--;
            count--;
            if (in_hand == 0)
                send_go(worker->tid);
        }
    }
}

/* ---- what the header names ---- */

int crew_open(struct crew *crew, const struct job *job, int *pile, int pile_count)
{
    memset(crew, 0, sizeof(*crew));
    crew->wanted = job->workers < WORKERS_MAX ? job->workers : WORKERS_MAX;
    crew->item_ms = job->item_ms;
    crew->pile = pile;
    crew->pile_count = pile_count;
    /* Asked for before looking: a host that comes between is seen twice, not never. */
    pvm_notify(PvmHostAdd, TAG_HOST_NEW, -1, NULL);
    return look_at_hosts(crew);
}

void crew_take_hosts(struct crew *crew)
{
    look_at_hosts(crew);
}

/* The ends of its workers come as notices of their own, before or after this one. */
void crew_take_host_end(struct crew *crew, int tid)
{
    struct crew_host *host = host_of(crew, tid);
    if (host)
        memmove(host, host + 1, (size_t)(crew->hosts + --crew->host_count - host) * sizeof(*host));
}

void crew_take_worker_end(struct crew *crew, int tid)
{
    struct crew_worker *worker = worker_of(crew, tid);
    if (!worker)
        return;
    for (int i = 0; i < worker->in_hand_count; i++)
        crew->pile[crew->pile_count++] = worker->in_hand[i];
    struct crew_host *host = host_of(crew, worker->host_tid);
    if (host && !worker->is_leaving)
        host->workers--;
    *worker = crew->workers[--crew->worker_count];
}

void crew_take_result(struct crew *crew, int from, int item)
{
    struct crew_worker *worker = worker_of(crew, from);
    for (int i = 0; worker && i < worker->in_hand_count; i++) {
        if (worker->in_hand[i] != item)
            continue;
        worker->in_hand_count--;
        memmove(worker->in_hand + i, worker->in_hand + i + 1,
                (size_t)(worker->in_hand_count - i) * sizeof(int));
        if (worker->is_leaving && worker->in_hand_count == 0)
            send_go(from);
        return;
    }
}

void crew_hire(struct crew *crew)
{
    double now = now_s();
    for (int i = 0; i < crew->host_count; i++) {
        struct crew_host *host = &crew->hosts[i];
        int missing = share_of(crew, i) - host->workers;
        if (missing < 0)
            host_retire(crew, host, -missing);
        else if (missing > 0 && host->retry_s <= now)
            host_start(crew, host, missing);
    }
}

void crew_deal(struct crew *crew)
{
    for (int i = 0; i < crew->worker_count && crew->pile_count > 0; i++) {
        struct crew_worker *worker = &crew->workers[i];
        int first = worker->in_hand_count;
        while (!worker->is_leaving && worker->in_hand_count < IN_HAND_MAX && crew->pile_count > 0)
            worker->in_hand[worker->in_hand_count++] = crew->pile[--crew->pile_count];
        int count = worker->in_hand_count - first;
        if (count == 0)
            continue;
        pvm_initsend(PvmDataDefault);
        pvm_pkint(&count, 1, 1);
        pvm_pkint(worker->in_hand + first, count, 1);
        pvm_send(worker->tid, TAG_ITEMS);
    }
}

void crew_close(struct crew *crew)
{
    for (int i = 0; i < crew->worker_count; i++)
        send_go(crew->workers[i].tid);
}
