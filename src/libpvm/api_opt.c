/* SPDX-License-Identifier: BSD-3-Clause */
/* Options and the trace mask (API-61, API-62). */
#include "libpvm/api.h"
#include "libpvm/mbox.h"

#include "pvm3.h"
#include "pvmtev.h"
#include "libpvm/data.h"

#include <string.h>

static bool is_self_sink(int what)
{
    return what == PvmSelfOutputTid || what == PvmSelfOutputCode || what == PvmSelfTraceTid ||
           what == PvmSelfTraceCode;
}

static int tell_daemon(struct client *client)
{
    const struct client_identity *identity = client_identity(client);
    const struct wire_sink sinks[2] = {identity->output, identity->trace};
    struct message request = {.type = TM_SETSINKS,
                              .tm_setsinks = {.sinks = {.count = 2, .items = sinks}}};
    return task_done(client_request(client, &request));
}

/* 0 or an error, and the old value, which may be any number (a tag, a context, -1 for none). */
static int set_option(int what, int value, int *previous)
{
    /* Only the daemon can send our output elsewhere; to refuse tracing works before there is
     * one. */
    if (is_self_sink(what) && !(what == PvmSelfTraceTid && value == -1 && task_tid() == 0)) {
        const int status = task_enrol();
        if (status < 0)
            return status;
    }
    struct client *client = task_client();
    if (!client)
        return PvmNoMem;
    bool must_tell;
    client_getopt(client, what, previous);
    int status = client_setopt(client, what, value, &must_tell);
    if (status == 0 && what == PvmNoReset && !*previous != !value)
        status = mbox_set_noreset(value != 0);
    if (status == 0 && what == PvmAutoErr) {
        *previous = pvmautoerr;
        pvmautoerr = value;
    }
    if (status == 0 && must_tell && task_tid() != 0)
        status = tell_daemon(client);
    data_refresh();
    return status;
}

int pvm_setopt(int what, int value)
{
    lock_enter();
    /* PvmNoReset is kept in a mailbox, which needs a task to own it. */
    if (what == PvmNoReset && task_tid() == 0) {
        lock_leave();
        result("pvm_setopt: PvmNoReset task not initialized", PvmBadParam);
        return result("pvm_setopt", PvmBadParam);
    }
    int previous = 0;
    const int status = set_option(what, value, &previous);
    lock_leave();
    return status < 0 ? result("pvm_setopt", status) : previous;
}

int pvm_getopt(int what)
{
    lock_enter();
    struct client *client = task_client();
    int value = pvmautoerr, status = client ? 0 : PvmNoMem;
    if (client && what != PvmAutoErr)
        status = client_getopt(client, what, &value);
    lock_leave();
    return status < 0 ? result("pvm_getopt", status) : value;
}

/* ---- trace mask ---- */

static char *mask_of(int who)
{
    if (who == PvmTaskSelf)
        return pvmtrc.tmask;
    return who == PvmTaskChild ? pvmctrc.tmask : NULL;
}

int pvm_gettmask(int who, Pvmtmask mask)
{
    const char *from = mask_of(who);
    if (!from || !mask)
        return result("pvm_gettmask", PvmBadParam);
    lock_enter();
    memcpy(mask, from, TEV_MASK_LENGTH);
    lock_leave();
    return 0;
}

int pvm_settmask(int who, Pvmtmask mask)
{
    char *to = mask_of(who);
    if (!to || !mask)
        return result("pvm_settmask", PvmBadParam);
    lock_enter();
    memcpy(to, mask, TEV_MASK_LENGTH);
    to[TEV_MASK_LENGTH - 1] = '\0';
    lock_leave();
    return 0;
}
