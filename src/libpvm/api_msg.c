/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending and receiving (API-47 to API-55), contexts as far as they are local (API-59). */
#include "libpvm/error.h"
#include "libpvm/task.h"

#include "pvm3.h"
#include "pvmtev.h"
#include "libpvm/data.h"

static int send_message(int tid, int tag)
{
    int status = task_enrol();
    if (status == 0)
        status = client_send(task_client(), tid, tag);
    return status < 0 ? status : task_flush();
}

int pvm_send(int tid, int tag)
{
    return result("pvm_send", send_message(tid, tag));
}

static int multicast(int *tids, int count, int tag)
{
    int status = task_enrol();
    if (status == 0)
        status = client_mcast(task_client(), tids, count, tag);
    return status < 0 ? status : task_flush();
}

int pvm_mcast(int *tids, int count, int tag)
{
    return result("pvm_mcast", multicast(tids, count, tag));
}

/* A length below zero is reported by the packing, and an empty message sent all the same
 * (API-49). */
static int psend(int tid, int tag, void *items, int count, int type)
{
    int status = task_enrol();
    if (status < 0)
        return status;
    if (count < 0 && type >= PVM_BYTE && type <= PVM_ULONG) {
        result("pvm_pkbyte", PvmBadParam);
        count = 0;
    }
    status = client_psend(task_client(), tid, tag, items, count, type);
    if (status == 0)
        status = task_flush();
    /* A type that is none is psend's own; everything else its sending's, which reports it first. */
    if (status < 0 && type >= PVM_BYTE && type <= PVM_ULONG)
        result("pvm_send", status);
    return status;
}

int pvm_psend(int tid, int tag, void *items, int count, int type)
{
    return result("pvm_psend", psend(tid, tag, items, count, type));
}

/* ---- receiving ---- */

/* Waits for |tid| to send something, if it still can: nothing waits for a task that has ended
 * (D15). */
static int wait_for(struct client *client, int tid)
{
    int status = client_end(client, tid, false);
    if (status == 0)
        status = client_watch(client, tid);
    return status < 0 ? status : task_wait(TASK_FOREVER);
}

/* One look at what has come, then at what comes until |deadline_ns|. */
static int receive(int tid, int tag, int64_t deadline_ns)
{
    int status = task_enrol();
    if (status == 0)
        status = task_pump();
    while (status >= 0) {
        struct client *client = task_client();
        if (!client)
            return PvmNoMem;
        const int mid = client_receive(client, tid, tag);
        if (mid != 0)
            return mid;
        if (deadline_ns != TASK_FOREVER && task_now_ns() >= deadline_ns)
            return 0;
        if (deadline_ns == TASK_FOREVER)
            status = wait_for(client, tid);
        else if ((status = client_end(client, tid, true)) == 0)
            status = task_wait(deadline_ns);
    }
    return status;
}

int pvm_recv(int tid, int tag)
{
    return result("pvm_recv", receive(tid, tag, TASK_FOREVER));
}

int pvm_nrecv(int tid, int tag)
{
    return result("pvm_nrecv", receive(tid, tag, 0));
}

static int64_t deadline_of(const struct timeval *timeout)
{
    if (!timeout)
        return TASK_FOREVER;
    if (timeout->tv_sec < 0 || timeout->tv_usec < 0 ||
        (timeout->tv_sec == 0 && timeout->tv_usec == 0))
        return 0;
    const int64_t now_ns = task_now_ns();
    if (timeout->tv_sec >= (TASK_FOREVER - now_ns) / 1000000000 - 1)
        return TASK_FOREVER;
    return now_ns + (int64_t)timeout->tv_sec * 1000000000 + (int64_t)timeout->tv_usec * 1000;
}

int pvm_trecv(int tid, int tag, struct timeval *timeout)
{
    return result("pvm_trecv", receive(tid, tag, deadline_of(timeout)));
}

static int probe(int tid, int tag)
{
    int status = task_enrol();
    if (status == 0)
        status = task_pump();
    return status < 0 ? status : client_probe(task_client(), tid, tag);
}

int pvm_probe(int tid, int tag)
{
    return result("pvm_probe", probe(tid, tag));
}

static int precv(int tid, int tag, void *items, int count, int type, int *source, int *found_tag,
                 int *length)
{
    int status = task_enrol();
    if (status == 0)
        status = task_pump();
    while (status >= 0) {
        struct client *client = task_client();
        status = client_precv(client, tid, tag, items, count, type, source, found_tag, length);
        if (status > 0)
            return 0;
        if (status == 0)
            status = wait_for(client, tid);
    }
    /* A type that is none is precv's own; everything else its receive's, which reports it first. */
    if (type >= PVM_BYTE && type <= PVM_ULONG)
        result("pvm_recv", status);
    return status;
}

int pvm_precv(int tid, int tag, void *items, int count, int type, int *source, int *found_tag,
              int *length)
{
    return result("pvm_precv", precv(tid, tag, items, count, type, source, found_tag, length));
}

/* ---- matching ---- */

static int match_default(int mid, int tid, int tag)
{
    struct client *client = task_client();
    return client ? client_match_default(client, mid, tid, tag) : PvmNoMem;
}

int (*pvm_recvf(int (*match)(int mid, int tid, int tag)))(int, int, int)
{
    struct client *client = task_client();
    if (!client)
        return match_default;
    const client_matcher_f wanted = match == match_default ? NULL : match;
    const client_matcher_f previous = client_set_matcher(client, wanted);
    return previous ? previous : match_default;
}

/* ---- contexts ---- */

int pvm_getcontext(void)
{
    task_client(); /* the first call of a spawned task learns its context */
    return pvmmyctx;
}

int pvm_setcontext(int context)
{
    task_client();
    const int previous = pvmmyctx;
    pvmmyctx = context;
    return previous;
}
