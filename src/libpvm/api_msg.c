/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending and receiving (API-47 to API-55), contexts as far as they are local (API-59). */
#include "libpvm/api.h"
#include "libpvm/handler.h"

#include "pvm3.h"
#include "pvmtev.h"
#include "libpvm/data.h"

static int send_message(int tid, int tag)
{
    int status = task_enrol();
    if (status == 0)
        status = client_send(task_client(), tid, tag);
    return status < 0 ? status : handler_poll(task_flush());
}

int pvm_send(int tid, int tag)
{
    lock_enter();
    return api_leave("pvm_send", send_message(tid, tag));
}

static int multicast(int *tids, int count, int tag)
{
    int status = task_enrol();
    if (status == 0)
        status = client_mcast(task_client(), tids, count, tag);
    return status < 0 ? status : handler_poll(task_flush());
}

int pvm_mcast(int *tids, int count, int tag)
{
    lock_enter();
    return api_leave("pvm_mcast", multicast(tids, count, tag));
}

static int psend(int tid, int tag, void *items, int count, int type)
{
    int status = task_enrol();
    if (status == 0)
        status = client_psend(task_client(), tid, tag, items, count, type);
    return status < 0 ? status : handler_poll(task_flush());
}

/* A type that is none is the call's own error; every other is that of the sending or receiving in
 * it, which reports it first. */
static int two_reports(const char *call, const char *inner, int type, int status)
{
    if (status < 0 && type >= PVM_BYTE && type <= PVM_ULONG)
        result(inner, status);
    return result(call, status);
}

/* A length below zero is reported by the packing, which comes after enrolment, and an empty message
 * sent all the same (API-49). */
static int psend_length_bad(void)
{
    lock_enter();
    const int status = task_enrol();
    lock_leave();
    if (status == 0)
        result("pvm_pkbyte", PvmBadParam);
    return 0;
}

int pvm_psend(int tid, int tag, void *items, int count, int type)
{
    if (count < 0 && type >= PVM_BYTE && type <= PVM_ULONG)
        count = psend_length_bad();
    lock_enter();
    const int status = psend(tid, tag, items, count, type);
    lock_leave();
    return status < 0 ? two_reports("pvm_psend", "pvm_send", type, status) : status;
}

/* ---- receiving ---- */

/* Waits for |tid| to send something, if it still can: nothing waits for a task that has ended
 * (D15). */
static int wait_for(struct client *client, int tid)
{
    int status = client_end(client, tid, false);
    if (status == 0)
        status = client_watch(client, tid);
    return status < 0 ? status : task_wait_for(tid, TASK_FOREVER);
}

/* What is next is looked at first; everything that has come, when it was not there; then what comes
 * until |deadline_ns|. */
static int receive_until(int tid, int tag, int64_t deadline_ns)
{
    int status = task_enrol();
    if (status == 0)
        status = task_look(tid);
    for (bool is_pumped = false; status >= 0; is_pumped = true) {
        struct client *client = task_client();
        if (!client)
            return PvmNoMem;
        const int mid = client_receive(client, tid, tag);
        if (mid != 0)
            return mid;
        if (!is_pumped)
            status = task_pump();
        else if (deadline_ns == TASK_FOREVER)
            status = wait_for(client, tid);
        else if (task_now_ns() >= deadline_ns)
            return 0;
        else if ((status = client_end(client, tid, true)) == 0)
            status = task_wait_for(tid, deadline_ns);
    }
    return status;
}

static int receive(int tid, int tag, int64_t deadline_ns)
{
    const int status = receive_until(tid, tag, deadline_ns);
    task_show();
    return status;
}

int pvm_recv(int tid, int tag)
{
    lock_enter();
    return api_leave("pvm_recv", receive(tid, tag, TASK_FOREVER));
}

int pvm_nrecv(int tid, int tag)
{
    lock_enter();
    return api_leave("pvm_nrecv", receive(tid, tag, 0));
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
    lock_enter();
    return api_leave("pvm_trecv", receive(tid, tag, deadline_of(timeout)));
}

static int probe_now(int tid, int tag)
{
    int status = task_enrol();
    if (status == 0)
        status = task_look(tid);
    if (status == 0)
        status = client_probe(task_client(), tid, tag);
    if (status != 0)
        return status;
    status = task_pump();
    return status < 0 ? status : client_probe(task_client(), tid, tag);
}

static int probe(int tid, int tag)
{
    const int status = probe_now(tid, tag);
    task_show();
    return status;
}

int pvm_probe(int tid, int tag)
{
    lock_enter();
    return api_leave("pvm_probe", probe(tid, tag));
}

static int precv_until(int tid, int tag, void *items, int count, int type, int *source,
                       int *found_tag, int *length)
{
    int status = task_enrol();
    if (status == 0)
        status = task_look(tid);
    for (bool is_pumped = false; status >= 0; is_pumped = true) {
        struct client *client = task_client();
        status = client_precv(client, tid, tag, items, count, type, source, found_tag, length);
        if (status > 0)
            return 0;
        if (status == 0)
            status = is_pumped ? wait_for(client, tid) : task_pump();
    }
    return status;
}

static int precv(int tid, int tag, void *items, int count, int type, int *source, int *found_tag,
                 int *length)
{
    const int status = precv_until(tid, tag, items, count, type, source, found_tag, length);
    task_show();
    return status;
}

int pvm_precv(int tid, int tag, void *items, int count, int type, int *source, int *found_tag,
              int *length)
{
    lock_enter();
    const int status = precv(tid, tag, items, count, type, source, found_tag, length);
    lock_leave();
    return status < 0 ? two_reports("pvm_precv", "pvm_recv", type, status) : status;
}

/* ---- matching ---- */

static client_matcher_f program_matcher; /* NULL = the default */

static int match_default(int mid, int tid, int tag)
{
    lock_enter();
    const struct client *client = task_client();
    const int status = client ? client_match_default(client, mid, tid, tag) : PvmNoMem;
    lock_leave();
    return status;
}

/* Asked message by message about a queue that may not change meanwhile. */
static int match_by_program(int mid, int tid, int tag)
{
    lock_hold();
    return program_matcher(mid, tid, tag);
}

int (*pvm_recvf(int (*match)(int mid, int tid, int tag)))(int, int, int)
{
    lock_enter();
    struct client *client = task_client();
    const client_matcher_f previous = program_matcher;
    if (client) {
        program_matcher = match == match_default ? NULL : match;
        client_set_matcher(client, program_matcher ? match_by_program : NULL);
    }
    lock_leave();
    return previous ? previous : match_default;
}

/* ---- contexts ---- */

int pvm_getcontext(void)
{
    lock_enter();
    /* A spawned task's first call learns its context. */
    const struct client *client = task_client();
    const int context = client && !lock_is_main() ? client_getcontext(client) : pvmmyctx;
    lock_leave();
    return context;
}

int pvm_setcontext(int context)
{
    lock_enter();
    struct client *client = task_client();
    int previous = pvmmyctx;
    if (client && !lock_is_main())
        previous = client_setcontext(client, context);
    else
        pvmmyctx = context;
    lock_leave();
    return previous;
}
