/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Mailboxes for conformance programs: entries that are one number, lists printed with owners as
 * words, and a worker that does to mailboxes what it is told.
 */
#ifndef CONF_MBOX_H
#define CONF_MBOX_H

#include "conf.h"

/* Exported, undeclared. */
int pvmreset(int mytid, int kill_tasks, char *class_name, int index);

static int box_workers[4]; /* tids, for lists */

static CONF_UNUSED int box_put(const char *name, int value, int flags)
{
    const int old = pvm_setsbuf(pvm_mkbuf(PvmDataDefault));
    pvm_pkint(&value, 1, 1);
    const int status = pvm_putinfo((char *)name, pvm_getsbuf(), flags);
    pvm_freebuf(pvm_setsbuf(old));
    return status;
}

/* The number found, or the error. */
static CONF_UNUSED int box_get(const char *name, int index, int flags)
{
    int value = -12345;
    const int mid = pvm_recvinfo((char *)name, index, flags);
    if (mid < 0)
        return mid;
    pvm_upkint(&value, 1, 1);
    return value;
}

static CONF_UNUSED void box_owner(int owner)
{
    if (owner == 0 || owner == pvm_mytid()) {
        printf(owner ? " me" : " nobody");
        return;
    }
    for (int i = 0; i < 4; i++) {
        if (owner == box_workers[i]) {
            printf(" worker %d", i);
            return;
        }
    }
    printf(" somebody");
}

static CONF_UNUSED void box_list(const char *pattern)
{
    int count = -1;
    struct pvmmboxinfo *classes = NULL;
    const int status = pvm_getmboxinfo((char *)pattern, &count, &classes);
    printf("list %s: %s, %d\n", pattern ? pattern : "NULL", conf_name(status), count);
    for (int i = 0; i < count; i++) {
        printf("  %s:", classes[i].mi_name);
        for (int k = 0; k < classes[i].mi_nentries; k++) {
            printf(" %d", classes[i].mi_indices[k]);
            box_owner(classes[i].mi_owners[k]);
            printf(" %x;", (unsigned)classes[i].mi_flags[k]);
        }
        printf("\n");
    }
}

/* Role of a worker: put, get, del as told, until its parent ends it or says leave. */
static CONF_UNUSED void box_worker(void)
{
    pvm_setopt(PvmAutoErr, 0);
    for (;;) {
        char what[32], name[64];
        int number, flags, status = 0;
        conf_take(pvm_parent(), 1);
        pvm_upkstr(what);
        pvm_upkstr(name);
        pvm_upkint(&number, 1, 1);
        pvm_upkint(&flags, 1, 1);
        if (strcmp(what, "put") == 0)
            status = box_put(name, number, flags);
        else if (strcmp(what, "get") == 0)
            status = box_get(name, number, flags);
        else if (strcmp(what, "del") == 0)
            status = pvm_delinfo(name, number, flags);
        else if (strcmp(what, "noreset") == 0)
            status = pvm_setopt(PvmNoReset, number);
        else
            return;
        conf_send_int(pvm_parent(), 2, status);
    }
}

static CONF_UNUSED void box_start(int count)
{
    conf_spawn_many("worker", count, box_workers);
}

static CONF_UNUSED void box_tell(int worker, const char *what, const char *name, int number,
                                 int flags)
{
    const int old = pvm_setsbuf(pvm_mkbuf(PvmDataDefault));
    pvm_pkstr((char *)what);
    pvm_pkstr((char *)name);
    pvm_pkint(&number, 1, 1);
    pvm_pkint(&flags, 1, 1);
    pvm_send(box_workers[worker], 1);
    pvm_freebuf(pvm_setsbuf(old));
}

static CONF_UNUSED void box_hear(int worker, const char *what)
{
    const int answer = conf_take_int(box_workers[worker], 2);
    printf("worker %d, %s: %s\n", worker, what, conf_name(answer));
}

static CONF_UNUSED void box_do(int worker, const char *what, const char *name, int number,
                               int flags)
{
    char said[128];
    snprintf(said, sizeof said, "%s %s %d %x", what, name, number, (unsigned)flags);
    box_tell(worker, what, name, number, flags);
    box_hear(worker, said);
}

/* Ends a worker; the daemon knows when this returns. */
static CONF_UNUSED void box_end(int worker)
{
    pvm_kill(box_workers[worker]);
    conf_wait_gone(box_workers[worker]);
}

static CONF_UNUSED void box_end_all(int count)
{
    for (int i = 0; i < count; i++)
        box_end(i);
}

/* The last word of a program with a virtual machine of its own. */
static CONF_UNUSED void box_halt(void)
{
    signal(SIGTERM, SIG_IGN);
    pvm_setopt(PvmAutoErr, 0);
    pvm_halt();
}

#endif
