/* SPDX-License-Identifier: BSD-3-Clause */
/* pvm_addmhf() and pvm_delmhf() (API-57), and how handlers are called: see libpvm/handler.h. */
#include "libpvm/api.h"
#include "libpvm/handler.h"

#include "pvm3.h"
#include "pvmtev.h"
#include "libpvm/data.h"

#include <stdio.h>

/* Both calls enrol, as ever, and work as well when that fails. */
int pvm_addmhf(int source, int tag, int context, int (*handler)(int mid))
{
    lock_enter();
    task_enrol();
    struct client *client = task_client();
    return api_leave("pvm_addmhf",
                     client ? client_add_handler(client, source, tag, context, handler) : PvmNoMem);
}

int pvm_delmhf(int handler)
{
    lock_enter();
    task_enrol();
    struct client *client = task_client();
    return api_leave("pvm_delmhf", client ? client_delete_handler(client, handler) : PvmNoMem);
}

/* The handler is in the context of its message, as pvm_getcontext() tells it and pvm_send() uses
 * it. */
static void call(client_handler_f function, int mid, int context)
{
    const int previous = pvm_setcontext(context);
    const unsigned depth = lock_drop();
    function(mid);
    lock_take(depth);
    pvm_setcontext(previous);
}

int handler_safe_point(struct client *client)
{
    /* Who has just enrolled does not know its own name yet. */
    if (!client || !client_has_handlers(client) || pvmmytid != task_tid())
        return 0;
    const int status = client_run_handlers(client, call);
    if (status > 0)
        lock_news(); /* others may have looked while a handler held back what is theirs */
    return MIN_OF(status, 0);
}

int handler_poll(int status)
{
    struct client *client = status < 0 ? NULL : task_client();
    if (client && client_has_handlers(client))
        task_pump(); /* a link that was lost is told by the next call */
    return status;
}

void handler_clear(void)
{
    struct client *client = task_client();
    if (client)
        client_clear_handlers(client);
}

int pvmdisplaymhfinfo(char *where, char *words, int tid);

/* Prints what handlers there are, for who looks for a mistake; |where|, |words| and |tid| are the
 * caller's, to know the list by. */
int pvmdisplaymhfinfo(char *where, char *words, int tid)
{
    lock_enter();
    const struct client *client = task_client();
    printf("%s t%x: message handlers\n%s t%x: %s\n", where ? where : "", (unsigned)tid,
           where ? where : "", (unsigned)tid, words ? words : "");
    int source, tag, context, status = 0;
    for (int handler = 0; client && status >= 0; handler++) {
        status = client_handler_fields(client, handler, &source, &tag, &context);
        if (status > 0)
            printf("%s t%x: handler %d: source t%x tag %d context %d\n", where ? where : "",
                   (unsigned)tid, handler, (unsigned)source, tag, context);
    }
    lock_leave();
    return 0;
}
