/* SPDX-License-Identifier: BSD-3-Clause */
/* The library's own messages (see libpvm/internal.h) and pvm_siblings() (API-7). */
#include "libpvm/internal.h"

#include "base/mem.h"
#include "libpvm/api.h"

#include "pvm3.h"
#include "pvmtev.h"
#include "libpvm/data.h"

/* Body: how many, then their tids. Part of the message is no list at all: it is as if it never
 * came. */
static void siblings_message(struct client *client)
{
    int count, bytes;
    if (client_bufinfo(client, client_getrbuf(client), &bytes, NULL, NULL) < 0 ||
        client_unpack(client, CLIENT_INT, &count, 1, 1) < 0 || count < 1 || count > bytes / 4 ||
        pvmsibtids)
        return;
    int *tids = mem_calloc((size_t)count, sizeof(*tids));
    if (!tids || client_unpack(client, CLIENT_INT, tids, count, 1) < 0) {
        mem_free(tids);
        return;
    }
    pvmsibtids = tids;
    pvmnsibs = count;
}

static bool hook(void *argument, int mid, int context, int tag)
{
    struct client *client = argument;
    (void)mid;
    if (context != TID_CONTEXT_CONTROL || tag < TAG_CONTROL_FIRST || tag > TAG_CONTROL_LAST)
        return false;
    if (tag == TAG_CONTROL_OUTPUT)
        output_message(client);
    else if (tag == TAG_CONTROL_SIBLINGS)
        siblings_message(client);
    return true;
}

static void host_lost(void *argument, int host)
{
    (void)argument;
    output_host_lost(host);
}

void internal_start(struct client *client)
{
    lock_set_client(client);
    client_set_lost(client, host_lost, NULL);
    client_set_hook(client, hook, client);
}

void internal_reset(void)
{
    mem_free(pvmsibtids);
    pvmsibtids = NULL;
    pvmnsibs = 0;
    output_reset();
}

/* Packs and sends with the program's own buffers, context and options put aside. */
int siblings_tell(const int *tids, int count)
{
    struct client *client = task_client();
    const int mid = client_mkbuf(client, PvmDataDefault);
    if (mid < 0)
        return mid;
    const int send_mid = client_setsbuf(client, mid);
    const int context = client_setcontext(client, TID_CONTEXT_CONTROL);
    int reserved = 0;
    client_getopt(client, PvmResvTids, &reserved);
    client_setopt(client, PvmResvTids, 1, NULL);
    int status = client_pack(client, CLIENT_INT, &count, 1, 1);
    if (status == 0)
        status = client_pack(client, CLIENT_INT, tids, count, 1);
    if (status == 0)
        status = count == 1 ? client_send(client, tids[0], TAG_CONTROL_SIBLINGS)
                            : client_mcast(client, tids, count, TAG_CONTROL_SIBLINGS);
    client_setopt(client, PvmResvTids, reserved, NULL);
    client_setcontext(client, context);
    client_freebuf(client, mid);
    client_setsbuf(client, send_mid);
    return status < 0 ? status : task_flush();
}

static int siblings(int **tids)
{
    static int alone;
    int status = task_enrol();
    if (status < 0)
        return status;
    if (client_identity(task_client())->parent == PvmNoParent) {
        alone = task_tid();
        *tids = &alone;
        return 1;
    }
    status = task_pump();
    while (status >= 0 && !pvmsibtids)
        status = task_wait(TASK_FOREVER);
    if (status < 0)
        return status;
    *tids = pvmsibtids;
    return pvmnsibs;
}

int pvm_siblings(int **tids)
{
    lock_enter();
    return api_leave("pvm_siblings", siblings(tids));
}
