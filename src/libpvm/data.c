/* SPDX-License-Identifier: BSD-3-Clause */
/* The variables of the binary interface: see libpvm/data.h. Their sizes are checked by
 * tests/abi. */
#include "client/client.h"
#include "libpvm/task.h"
#include "libpvm/trace.def"

#include "pvm3.h"
#include "pvmtev.h"
#include "libpvm/data.h"

#define MASK_NOTHING "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@"
_Static_assert(sizeof(MASK_NOTHING) == TEV_MASK_LENGTH, "a mask of no event");

struct Pvmtracer pvmctrc = {.tmask = MASK_NOTHING};
struct Pvmtracer pvmtrc = {.tmask = MASK_NOTHING};

#define EVENT_ROW(event_name) {.name = #event_name},
struct Pvmtevinfo pvmtevinfo[] = {TRACE_EVENT_TABLE(EVENT_ROW)};
_Static_assert(sizeof(pvmtevinfo) / sizeof(pvmtevinfo[0]) == TEV_MAX + 1, "a name per event");

#define FIELD_ROW(name, text) {.did = #name, .desc = text},
struct Pvmtevdid pvmtevdidlist[] = {TRACE_FIELD_TABLE(FIELD_ROW)};
_Static_assert(sizeof(pvmtevdidlist) / sizeof(pvmtevdidlist[0]) == TEV_DID_MAX + 1,
               "a name per field");

int pvmmytid = -1;
int pvmmyptid;
int pvmmyupid = -1;
int pvmmyctx;
int pvmmydsig;
int pvmschedtid;
int pvmautoerr = 1;
int pvmdebmask;
int pvmrouteopt = PvmAllowDirect;
int pvmfrgsiz = 4080;
int pvmudpmtu = 4080;
int pvmrescode;
int pvmshowtaskid = 1;
int pvmnoreset;
int pvmnoresetindex;
int pvmnsibs;
int pvmtoplvl = 1;
int pvm_useruid = -1;
int *pvmsibtids;
char *pvmmytaskname;
/* Pointers to structures of the original: nothing of ours has their shape. */
void *pvmrbuf, *pvmsbuf, *pvmrxlist, *pvmmboxclasses, *waitlist, *pvmtrccodef;

static void tracer_refresh(struct Pvmtracer *tracer, const struct wire_sink *output,
                           const struct wire_sink *trace, int buffer, int options)
{
    tracer->outtid = output->tid;
    tracer->outctx = (int)output->context;
    tracer->outtag = output->tag;
    tracer->trctid = trace->tid;
    tracer->trcctx = (int)trace->context;
    tracer->trctag = trace->tag;
    tracer->trcbuf = buffer;
    tracer->trcopt = options;
}

static int option(const struct client *client, int what)
{
    int value = 0;
    client_getopt(client, what, &value);
    return value;
}

void data_refresh(void)
{
    const struct client *client = task_client();
    if (!client)
        return;
    const struct client_identity *identity = client_identity(client);
    struct wire_sink child[2];
    client_child_sinks(client, child);
    pvmmytid = identity->tid ? identity->tid : -1;
    pvmmyptid = identity->parent;
    pvmmydsig = (int)client_signature_native();
    pvmdebmask = option(client, PvmDebugMask);
    pvmrouteopt = option(client, PvmRoute);
    pvmfrgsiz = option(client, PvmFragSize);
    pvmrescode = option(client, PvmResvTids);
    pvmshowtaskid = option(client, PvmShowTids);
    pvmnoreset = option(client, PvmNoReset);
    tracer_refresh(&pvmtrc, &identity->output, &identity->trace, option(client, PvmSelfTraceBuffer),
                   option(client, PvmSelfTraceOptions));
    tracer_refresh(&pvmctrc, &child[0], &child[1], option(client, PvmTraceBuffer),
                   option(client, PvmTraceOptions));
}
