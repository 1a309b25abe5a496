/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The crew of a leader: so many workers, spread evenly over the hosts there are, and the items that
 * each of them has in hand.
 *
 * Hosts and workers come and go by notices, of which the leader tells here. crew_hire() then puts
 * right what is not as it should be: it starts workers where some are missing, and sends away those
 * that are too many on one host because another one came.
 */
#ifndef CREW_H
#define CREW_H

#include "farm.h"

enum { HOSTS_MAX = 512, WORKERS_MAX = 4096, IN_HAND_MAX = 4, HOST_NAME_BYTES = 128 };

struct crew_host {
    int tid;
    char name[HOST_NAME_BYTES];
    int workers;
    double retry_s; /* no spawn before: the last one failed */
};

struct crew_worker {
    int tid, host_tid;
    int in_hand[IN_HAND_MAX], in_hand_count;
    int is_leaving; /* it gets nothing more, and goes when its hands are empty */
};

struct crew {
    int wanted;
    int item_ms;
    struct crew_host hosts[HOSTS_MAX];
    int host_count;
    struct crew_worker workers[WORKERS_MAX];
    int worker_count;
    int *pile; /* items that nobody has in hand; the last one is next */
    int pile_count;
};

/* Looks at the hosts and asks for notices. |pile| has room for all items of the job. 0, or an
 * error. */
int crew_open(struct crew *crew, const struct job *job, int *pile, int pile_count);
/* Notices: there are new hosts; the host |tid| is gone; the task |tid| ended, which may have been a
 * worker: what it had in hand goes back to the pile. */
void crew_take_hosts(struct crew *crew);
void crew_take_host_end(struct crew *crew, int tid);
void crew_take_worker_end(struct crew *crew, int tid);
/* |from| has done |item|. */
void crew_take_result(struct crew *crew, int from, int item);
/* Starts and sends away workers, as far as that is possible now. */
void crew_hire(struct crew *crew);
/* Gives items to whoever has a free hand. */
void crew_deal(struct crew *crew);
/* Tells everybody to go. */
void crew_close(struct crew *crew);

#endif
