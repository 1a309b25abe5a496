/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A supervisor: leads the farm, or stands by until the leader's end and then leads.
 *
 * Which of the two is decided by one mailbox entry that only one task can have: job_claim(). A
 * standby watches the leader by pvm_notify() and tells it that it is there; the leader starts
 * another one when there are too few. A new leader reads the ledger, and so knows all that it
 * needs.
 */
#include "crew.h"
#include "ledger.h"

#include <pvm3.h>

#include <stdlib.h>
#include <sys/time.h>

enum { STANDBYS_MAX = 16, BATCH = 1000, PATIENCE_S = 1 };

struct leader {
    const struct job *job;
    struct ledger ledger;
    struct crew crew;
    int standbys[STANDBYS_MAX];
    int standby_count;
    int standby_turn;      /* the host that gets the next one */
    double next_standby_s; /* none is started before: others may still report, or one failed */
};

static double now_s(void)
{
    struct timeval t;
    gettimeofday(&t, NULL);
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

/* ---- standbys ---- */

/* They report when they know who leads; what they were to the leader before is of no interest. */
static void take_standby(struct leader *leader, int tid)
{
    for (int i = 0; i < leader->standby_count; i++)
        if (leader->standbys[i] == tid)
            return;
    if (leader->standby_count >= leader->job->supervisors - 1 ||
        leader->standby_count == STANDBYS_MAX) {
        pvm_initsend(PvmDataDefault);
        pvm_send(tid, TAG_GO);
        return;
    }
    leader->standbys[leader->standby_count++] = tid;
    pvm_notify(PvmTaskExit, TAG_TASK_END, 1, &tid);
}

static void take_standby_end(struct leader *leader, int tid)
{
    for (int i = 0; i < leader->standby_count; i++)
        if (leader->standbys[i] == tid)
            leader->standbys[i] = leader->standbys[--leader->standby_count];
}

/* One new standby at a time, on the next host in turn, not on ours while there are others. */
static void start_standbys(struct leader *leader)
{
    struct crew *crew = &leader->crew;
    int own = pvm_tidtohost(pvm_mytid());
    if (leader->standby_count >= leader->job->supervisors - 1 ||
        leader->standby_count == STANDBYS_MAX || crew->host_count == 0 ||
        now_s() < leader->next_standby_s)
        return;
    struct crew_host *host = &crew->hosts[leader->standby_turn++ % crew->host_count];
    if (host->tid == own && crew->host_count > 1)
        host = &crew->hosts[leader->standby_turn++ % crew->host_count];
    int tid = job_start_supervisor(leader->job, host->name);
    if (tid > 0)
        leader->standbys[leader->standby_count++] = tid;
    else
        leader->next_standby_s = now_s() + PATIENCE_S;
}

/* ---- the leader ---- */

static int take_message(struct leader *leader)
{
    int bytes, tag, from, numbers[2] = {-1, 0};
    pvm_bufinfo(pvm_getrbuf(), &bytes, &tag, &from);
    switch (tag) {
    case TAG_RESULT: {
        pvm_upkint(numbers, 2, 1);
        int item = numbers[0], result = numbers[1];
        crew_take_result(&leader->crew, from, item);
        return ledger_note(&leader->ledger, item, result);
    }
    case TAG_TASK_END:
        pvm_upkint(numbers, 1, 1);
        crew_take_worker_end(&leader->crew, numbers[0]);
        take_standby_end(leader, numbers[0]);
        break;
    case TAG_HOST_END:
        pvm_upkint(numbers, 1, 1);
        crew_take_host_end(&leader->crew, numbers[0]);
        break;
    case TAG_HOST_NEW: crew_take_hosts(&leader->crew); break;
    case TAG_STANDBY: take_standby(leader, from); break;
    }
    return 0;
}

/* Waits for a message, then takes all that are there: however many results came meanwhile, they
 * cost one write to the ledger. */
static int take_messages(struct leader *leader)
{
    struct timeval patience = {1, 0};
    int got = pvm_trecv(-1, -1, &patience);
    for (int i = 0; got > 0 && i < BATCH; i++) {
        int status = take_message(leader);
        if (status < 0)
            return status;
        got = pvm_nrecv(-1, -1);
    }
    return got < 0 ? got : 0;
}

static int open_all(struct leader *leader)
{
    int count = leader->job->item_count, missing = 0;
    int status = ledger_open(&leader->ledger, leader->job);
    int *pile = malloc(((size_t)count + 1) * sizeof(int));
    if (status < 0 || !pile) {
        free(pile);
        return status < 0 ? status : PvmNoMem;
    }
    for (int item = count; item-- > 0;)
        if (!leader->ledger.is_done[item])
            pile[missing++] = item;
    return crew_open(&leader->crew, leader->job, pile, missing);
}

static void close_all(struct leader *leader)
{
    crew_close(&leader->crew);
    for (int i = 0; i < leader->standby_count; i++) {
        pvm_initsend(PvmDataDefault);
        pvm_send(leader->standbys[i], TAG_GO);
    }
    ledger_close(&leader->ledger);
    free(leader->crew.pile);
}

/* Leads until all is done: 0. An error means that this task cannot know what holds any more (its
 * daemon is gone, or has no memory for us): it ends, and a standby knows. */
static int lead(const struct job *job)
{
    static struct leader leader;
    leader = (struct leader){.job = job, .next_standby_s = now_s() + PATIENCE_S};
    int status = open_all(&leader);
    while (status >= 0 && !ledger_is_complete(&leader.ledger)) {
        crew_hire(&leader.crew);
        crew_deal(&leader.crew);
        start_standbys(&leader);
        status = take_messages(&leader);
        if (status >= 0)
            status = ledger_write(&leader.ledger);
    }
    if (status >= 0)
        status = job_set_done(job);
    close_all(&leader);
    return status < 0 ? status : 0;
}

/* ---- standing by ---- */

/* Waits for the end of whoever leads: 0; 1 when told that we are not needed. */
static int watch(int leader)
{
    pvm_notify(PvmTaskExit, TAG_TASK_END, 1, &leader);
    pvm_initsend(PvmDataDefault);
    pvm_send(leader, TAG_STANDBY);
    while (pvm_recv(-1, -1) > 0) {
        int bytes, tag, from, tid;
        pvm_bufinfo(pvm_getrbuf(), &bytes, &tag, &from);
        if (tag == TAG_GO)
            return 1;
        if (tag == TAG_TASK_END && pvm_upkint(&tid, 1, 1) >= 0 && tid == leader)
            return 0;
    }
    return 1;
}

int supervisor_main(const char *job_name)
{
    struct job job;
    int status = job_read(job_name, &job);
    while (status >= 0 && !job_is_done(&job)) {
        status = job_claim(&job);
        if (status == 0) {
            status = lead(&job);
            break;
        }
        if (status != PvmDenied)
            break;
        /* There may be nobody after all: then we try again. */
        int leader = job_leader(&job);
        status = leader == PvmNotFound ? 0 : leader;
        if (leader > 0 && watch(leader) != 0)
            break;
    }
    pvm_exit();
    return status < 0;
}
